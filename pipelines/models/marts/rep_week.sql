{{ rep_period('week') }}
