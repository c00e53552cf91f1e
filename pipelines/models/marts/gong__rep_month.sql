{{ rep_period('month') }}
