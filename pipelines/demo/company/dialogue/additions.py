"""What either side may add to any exchange of a phase, by banks named after the phase and the side."""

TEXT = """
== additions | Additions | -

@ situation_customer
[To give you an idea|Just as an example|To put it in numbers], in {city} [alone|on its own] [we write off|we lose|that
   is] about {amount2} [per month|every quarter|in a bad season].
[My team|{team_cap}] [spends|loses|burns] {count} hours [on it every month|a month on that|each month on nothing
   else], [and nobody enjoys it|which is a full person, nearly|not counting the overtime].
[The stores|Our store managers|The people on site] [stopped trusting|no longer believe|question] [the numbers|what we
   send them|any figure from head office] [some time around {month}|after {month}|when {goods} ran out twice].
[I once counted|We counted|Last {month} I counted] {count} [mails|phone calls|chat messages] [about a single order|
   between {team} and one supplier|for one promotion].
[With|For] {goods} it is [worse|even harder|a different game], [because|since] [the shelf life is short|every season
   starts from zero|trends change within {weeks} weeks].
[On paper|In theory|According to the handbook] it takes {minutes} minutes, [in reality|but really] [half a day|closer
   to {count} minutes on a good day|whatever time is left].
[Our|The] {role} [asks|keeps asking|wants to know] [every {day}|in each review|once a month] [why|how come] {metric}
   [does not move|is {percent} points down|looks so different by region].
[And we are|We are] [lucky if|happy when] [the export|the file] from {system} [arrives|is complete] before [ten|lunch|
   the {day} meeting].
[About|I would say] {percent} percent of [our articles|the range|all lines] [make|cause] [most of|nearly all of] the
   [trouble|noise|work], [{goods} among them|and it is never the same ones|and everyone knows which].
[Honestly|To be fair], [it worked fine|the process was okay] [with {few} stores|when we were half this size|before the
   second warehouse], [not with {sites}|but now we have {sites}|and then we grew].
[When I started|Two years ago|Before {month}] [there were|we had] {few} planners, [now|and today] [there are|we have]
   {few2}, [for|with] [twice|{percent} times] the [number of orders|range|volume].
[What keeps me awake|What worries me|My own fear] is [{month}|the {month} season|the next price promotion], [not|
   rather than] [the daily work|a normal week|the weeks in between].
[If I could wish for one thing|In an ideal world|My dream would be that], [the plan|the whole thing] [is|would be]
   [done by {day} noon|the same in every system|something I can explain in {few} sentences].
[We|Our people] [have tried|did try|even tried] [colour codes|a shared folder|a weekly call], [it helped|and that
   helped] for [{weeks} weeks|about a month|exactly one season].

@ situation_company
[That is|This is|It is] [quite|fairly|very] [typical|common|usual] [for|in] {industry_short}, [by the way|in my
   experience|from what we see], [more so|especially] [above {sites2} sites|with {goods}|around {month}].
[The last company|A customer|A retailer] [I worked with|we visited|that called us] [in {month}|near {city}] had
   {count} [versions of one plan|open promotions|people editing one file].
[I am writing down|Let me note|I note] [{percent} percent|{amount2}|the {count} hours], [because|since] [finance will
   ask|we will need it later|that is the core of your case].
[What we often find|What I see a lot|The pattern] is that [the buffer|safety stock|the order cycle] [hides|covers up]
   [the real problem|late suppliers|a promotion plan that changes too often].
[Most|Many|Half] of our customers [began|started] with [one category|{few} stores|the slowest articles], [and|then]
   [added the rest|went on] [after {weeks} weeks|within a season|once {team} asked for it].
[So if I understand you|If I got that right|Let me check that I understood], [the plan|the order] is [right|fine] on
   {day} and [wrong|outdated] [by {day2}|when the truck leaves|a day later].
[We looked at|I had a look at|My colleague studied] {count} [companies|planning teams] [last year|for a study|in
   {industry_short}], [and|where] {percent} in ten [measured|tracked] {metric} [by hand|once a month|at all].

@ decision_customer
[From experience|The last time we bought software|With our previous project], [legal|procurement|the board] [took|
   needed] {weeks} weeks, [and nobody was in a hurry|which we should plan for|with {few} rounds of comments].
[The person to convince|The one who matters|Whoever signs] [is|will be] [our|the] {role}, [who|and that person] [likes
   short papers|reads numbers first|has seen {few} such projects fail].
[We have|There is] [a budget line of|about] {amount2} [for this year|in the plan|that nobody has touched], [the rest|
   anything more] [needs a case|comes from {team}|waits for {month}].
[I would like|I want|We would want] [two references|a reference] [from {industry_short}|with around {sites2} sites|
   near {city}], [before|well before] [the {day} meeting|we talk about contracts|the paper goes out in {month}].
[{team_cap}|My colleague in {team}] [has a vote|will have a say|gets a veto], [and|so] [they care about|they look at]
   [the daily work|{metric}|how much has to be typed].
[If it drags on|If we miss {month}|Should it slip], [we lose|that costs us] [another season|{weeks} weeks|the
   {amount2} we have set aside], [simple as that|no question|and then I cannot help you].
[One more name|Another person|A quiet influence] is [the head of logistics|our works council|the former {role}], [so|
   therefore] [please copy them|a short call on {day} would help|keep {few} minutes for them].

@ decision_company
[What usually works|What I suggest|In similar cases we did this]: [one page|a short paper|{few} slides] [with|on] [the
   cost of waiting|{metric}|what the {sites} sites would gain], [before|ahead of] the [{month} round|board|first
   vote].
[I can bring|I would bring|Let me invite] [our|a] [solutions engineer|customer from {city}|finance colleague] [for
   {minutes} minutes|on {day}|to the second session], [if|in case] [that helps|your {role} wants to ask directly|it
   speeds things up].
[Counting from today|If we start on {day}|With {weeks} weeks of trial], [a decision|the contract] [in|before] {month}
   is [realistic|possible|ambitious but fair].
[The risk|What I have seen go wrong|The usual trap] is [a trial without|starting without] [a clear question|an owner
   in {team}|{metric} agreed up front], [so|that is why] [I insist on it|let us write it down|we ask for it].

@ demo_customer
[In our world|Here at {account}|With us], [that column|this screen|such a list] would have [about {count} rows|{count}
   lines on a {day}|a lot more red in {month}], [which is fine|and that worries me a bit|so I would filter by
   supplier].
[My planners|{team_cap}|The people in {city}] would [ask for|want|miss] [an export|the old column order|a comment
   field], [I am sure of it|at least in the first {weeks} weeks|and I would understand them].
[What I like|The part I like|What speaks to me] is [that it gives a reason|the range instead of one number|the money
   view], [our current tool|{system}|the spreadsheet] [never had that|cannot do that|only shows one figure].
[I would test|Let me test|We should test] [that|this] with {goods} [in {month}|from {city}|and {few} awkward
   suppliers], [where|since] [we know the answer|everything else failed|we were off by {percent} percent].
[I wonder|What I would like to know is|Another time I want to see] how it [behaves|looks] [when a store closes|with
   {percent} percent missing data|after a price change] [for {weeks} weeks|in the middle of {month}|that nobody
   entered].
[If that works|If it really does that], [I can think of|I know] {few} [people|store managers|colleagues] [who would
   cheer|to show it to|who would want it tomorrow], [starting with|beginning in] [{city}|{team}|our {role}].

@ demo_company
[To be clear|One thing to add|I should say], [it does not|this will not] [replace|decide for] [the planner|{team}], it
   [sorts|prepares] [the work|{count} decisions|the morning], [and|so] [people|they] [keep the last word|see why|start
   with the expensive ones].
[At a customer|With a chain] [near {city}|in {industry_short}|with {sites2} sites], [this view|that page] [cut|
   reduced] the [{day} meeting|weekly round] [from two hours to {minutes} minutes|by {count} percent|to a phone call].
[You can|Anyone can|Your admin can] [change|set] [the limit|this threshold] [per category|by supplier|for each
   region], and {percent} percent is [only a default|where most end up|rather strict].
[The same screen|This page] [works|is used] [for|with] {goods}, [only|except that] [the horizon is|it looks] {weeks}
   weeks [ahead|instead of {few}], [as|because] [orders go out earlier|suppliers ask for it|lead times differ].
[Behind this|Under the hood|In the background] [there are|we compare] {count} [models|variants] [per article|for each
   family], and [the best one|the winner of the last {weeks} weeks] [is used|wins], [you never have to pick|you only
   see the result].
[Every|Each] [figure|proposal] [keeps its history|has a trail], so [in {month}|a year later|at the next review] [you
   can see|anyone sees] [what was known|who changed it by {percent} percent|why it was {count}].

@ technical_customer
[Our network people|The security team|IT in {city}] [will ask|always ask|want to know] [which address it talks to|who
   holds the key|what happens after {minutes} minutes of silence], [so|and] [put it in the paper|a drawing would help|
   please be precise].
[We|Our side] [had|went through] [an incident|a long outage|an audit] in {month}, [since then|so now] [every
   connection|any new system] [is reviewed {few} times|needs a sign-off by the {role}|waits about {weeks} weeks].
[The interface|The connection] [of|to] {system} is [slow on {day}s|limited to {count} requests at once|maintained by
   one person], [to be open about it|and I would not bet on it|which is a known problem].
[In numbers|For scale|Just so you know], [that is|we move] {count} [million rows|gigabytes|thousand movements] [a
   night|per month|in the peak weeks], [from|across] {sites} [sites|tills|locations].
[We once|Last year we] [lost|overwrote] [a day|{few} days] of [stock data|bookings], [and|so] [I want|we need] [a way
   back|a copy before each write|proof that it stops at {percent} percent].
[Our release|The next release] of {system} [is|comes] in {month}, [nothing|no change] [goes live|is allowed] [{weeks}
   weeks before|between {day} and {day2}|without a test].

@ technical_company
[On a typical day|In a normal night|For a company your size] [that is|we see|it moves] {count} [megabytes|thousand
   rows|files], [done in|which takes] {minutes} minutes [on our side|end to end|with checks].
[If a file|If one delivery|When a load] [is late|is broken|has {percent} percent fewer rows], [we keep|the system
   keeps] [the last good one|yesterday's plan] [and ring {few} people|and say so on the board|until {day} at most].
[The whole setup|Connecting {system}|The technical part] [took|needed] {weeks} weeks [at our last customer|near
   {city}|with {sites2} sites], [of which|and] [{few} days were work|most was waiting for a firewall|one was testing].
[You get|We hand over|There is] [a log|a report|an alert] [for|of] each [run|change|failed login], [kept for|stored
   for] {count} [weeks|months], [longer if you ask|in your region|readable without us].
[I will send|Let me send|You will get] [the field list|a sample file|the network drawing] [by {day}|after this call],
   [it has|with] {count} [fields|lines], [{few} of them required|most of them optional|each with an example].

@ objections_customer
[We have been there|I remember the last project|Once bitten], [it cost|that was] {amount2} and [nobody uses it|it died
   in {month}|we are back in spreadsheets], [so forgive me|and people remember|hence the question].
[My boss|Our {role}|{team_cap}] [will say|would say|says] [that we can wait|it is a luxury|we should fix {system}
   first], [and|and to be honest] [in {month} I might agree|I have no good answer yet|that is not stupid].
[Convince me|Help me] with [a number|an example|a name] [from {industry_short}|for {goods}|around {city}], [not|rather
   than] [a slide|an average over {count} customers|a promise].
[If I bring this up|When I present that] [on {day}|in {month}|to the board], [the first question|what I get asked] is
   [why now|what happens to the {few} planners|who pays when {metric} does not move].
[I do not doubt|I am not questioning] the [product|idea|effort], I [doubt|question] [our discipline|the data from
   {city}|whether {team} has {few} free hours].

@ objections_company
[Let me answer that|I would answer that|I can answer that] [with a number|with one example|openly]: [a customer|a
   chain] with {sites2} sites [lost|spent] {amount2} [a month|per season] [while waiting|before starting|on the old
   way].
[We can put|I will put|Let us put] [that|the {percent} points|a stop after {weeks} weeks] [into the contract|in
   writing|in the plan], [then|so that] [you are covered|your {role} can relax|nobody has to trust me].
[Tell me|Just tell me|Let me know] [what you would need|what it would take|which proof you need] [to feel comfortable|
   to say yes|to defend it] [by {day}|in front of {team}|before {month}].
[The effort|Your part|The work for {team}] is [about {count} hours in total|{few} hours a week|two meetings of
   {minutes} minutes], [I have the list|we measured it {few} times|and it ends after {weeks} weeks].

@ pricing_customer
[For comparison|Just for comparison|To compare], [we pay|our old tool costs|{system} costs us] {amount2} [per year|a
   year|every quarter] [for {seats} people|without support|and nobody complains].
[I can sign|I am allowed to sign|My own limit is] [up to|about] {amount2}, [the rest|anything above that] [goes to the
   {role}|needs {few} signatures|takes {weeks} weeks].
[The first year|Year one] [is|would be] [the problem|what hurts], [after that|later] [the savings|{percent} points of
   {metric}] [pay for it|cover it easily|speak for themselves].
[Split it|You could split it|I would split it] [by region|into {few} invoices|over two budgets], [{city} first|half in
   {month}|that makes approval easier].
[Procurement|Our buyers] [will ask for|want] {discount} percent [whatever you say|as always|out of habit], so [leave
   some room|let us plan for that|do not take it personally].
[We may want|I would like|Finance wants] to [move|shift] the [start|first invoice] to {month}, [when|since] [the new
   budget opens|stocktaking is over|the old contract ends].
With {few} [more sites|new stores|additional planners] [in {month}|next year], [we need|I want] [a price that holds|
   the price in writing|a clear price per site], [not a surprise|so that I can plan|and finance will insist].

@ pricing_company
[For your size|With {sites} sites|At {seats} seats], [most customers|comparable companies] [pay|end up at] [about
   {price} per seat|around {price} a seat], [so|which means] [you are below that|you are right in the middle|the price
   is fair].
[I checked|We checked|Finance checked] [that|it] [against|with] {few} [similar contracts|deals in {industry_short}],
   the [average|middle] [is|was] {price} [per site|a site|for each location].
[The saving|What you save|The return] [we worked out|in your case] [is|was] {amount2} [a month|per month|in the first
   season], [so|and] [it pays back in {few} months|the rest is a bonus|I used half of your {percent} percent].
[I can hold|We hold|I can keep] [these terms|this offer] until [{day}|the end of {month}|your board has met], [after
   that|then] [I have to ask again|prices are reviewed|the discount of {discount} percent ends].
[What I cannot do|The one thing I cannot move|What stays as it is] is [the term|the list price|the setup fee], [what I
   can|but I can] [add|include] [{few} days of training|a second environment|{few} viewers for free].

@ adoption_customer
[In {city}|At our {city} site|Around {city}] [they|the stores] [went from|cut] {count} [manual orders|overrides|phone
   calls] [a week|per week] to [almost none|about {few}|a handful], [which|and that] [surprised even me|I did not
   expect|is the story I tell].
[What we still miss|What {team} still misses|The gap] is [{goods}|a proper view for suppliers|the comparison with last
   year], [and|since] [I hear it every {day}|they asked for it {few} times|it costs us {count} minutes a day].
[Our {role}|The board|The new director] [saw|was shown] [the numbers|{metric} at {count} percent|the {month} report]
   and [asked for more sites|had {few} questions|said nothing, which is praise].
[If you asked|Ask] [my planners|the people in {team}], [they would|and they will] [not go back|give it {few} stars|
   complain about the colours], [I would bet {amount2} on that|most of them|with one exception].
[We should|I would like to|Let us] [look at|go through] [suppliers|the {few} worst stores|lead times] [next|in
   {month}|before the season], [there is|I see] [at least {percent} points|money|a lot] [in it|left].

@ adoption_company
[Compared with|Next to|Against] [others|companies] [in {industry_short}|of {sites2} sites], you are [ahead in|behind
   on|level with] [{metric}|overrides|training], by [about {percent} points|{count} percent|a season].
[I would|My advice is to|Let us] [focus on|pick] [{few} stores|one supplier|{goods}] [first|until {month}|for {weeks}
   weeks], [and|then] [measure it|compare|show it to your {role}], [as we did in {city}|on one page|nothing else].
[We noticed|I noticed|The data shows] that [{team}|one group|{few} users] [overrides|changes] [{percent} percent more|
   mostly {goods}|on {day}s], [and in half of the cases it helps|usually too high|perhaps there is a reason].
[The new|Our next] [release|version] [in {month}|after {day}] [brings|has] [the import|better filters|supplier pages],
   [{few} of them|most of it] [came from you|you asked for|were your idea], [thank you for that|so please try it|I
   will send a note].

@ standup_company
[On paper|In the system] it is [{count} percent|in {month}|a yes], [my gut says|but I would say] [{count}|less|later],
   [because|since] {buyer} [has not met {team}|never mentions the {role}|talks about {pain} only].
[Last time|The call before], [we spent|they spent] {minutes} minutes on {goods}, [nobody|and no one] [asked about
   money|took notes|from {team} joined], [so|which means] [we need a second session|I am careful|I moved it to
   {month}].
[I can help|Give it to me|I have time] [on {day}|this week|for {minutes} minutes], [I know|I worked with] [someone in
   {city}|a {role} like that|{system} quite well], [just send me the notes|let us do it together|no need to wait].
[The customer|{account}|Their side] [opens|plans] {few} [stores|sites] [in {month}|near {city}], [that is|and that
   would be] [{amount2} more|worth a call|another {few} seats].
[What helped|What worked|The trick] at [my last one|the {city} account|a similar deal] was [a page of numbers|a visit|
   asking for the {role}], [sent on {day}|within {few} days|before anything else].
[I logged|I noted|It is in the system], [{few} contacts|the {percent} percent|a close date in {month}], [next action|
   and the follow-up] [on {day}|with {buyer}|by me].

@ loss_customer
[You were|Your team was] [strong|better] [on {goods}|in the demo|with {team}], [we were|they were] [{percent} percent|
   {amount2}|{weeks} weeks] apart [elsewhere|on the rest|in the offer].
[I had|We had] {few} votes [for you|on your side], [our {role}|{team}|the board] [wanted {system} people|asked for a
   name in {city}|decided otherwise], [that is how it goes|and I respect that|in {minutes} minutes].
[If you had|Had you] [shown|brought] [our own data|a customer in {industry_short}|the {metric} figures] [in {month}|in
   the first session|{weeks} weeks earlier], [who knows|it might be different|I could have used it].

@ dial_talk_customer
[We have|There are] {sites} [sites|locations], [so|and] [it adds up|you can imagine|every mistake counts], [mostly|
   especially] [in {month}|with {goods}|around {city}].
[My week|Every {day}] [starts|begins] with {count} [mails|calls|corrections] [about orders|from stores|because of
   {system}], [no joke|and then coffee|before nine].

@ dial_talk_company
[That is why|Exactly why] I [call|rang], [a company|someone] with {sites2} sites [said the same|had that] [in {month}|
   near {city}], [now|and today] it is [{percent} percent better|off their list|a {minutes} minute job].
{minutes} minutes [on {day}|next week|in {month}] [would be enough|would do] [to see|to find out] [whether it fits|if
   that helps {team}|what {percent} points are worth].

@ checkin_talk_customer
[By the way|Also], [{team}|our {role}] [asked for|needs] [the {count} lines from the trial|a name in support|the
   slides from {day}], [whenever you can|before {day2}|no rush].
[It is|We are] [busy|hectic] [here|in {city}], [{few} deliveries|{count} mails] [since this morning|today], [sorry if
   I am short|so make it quick|you know how it is].

@ checkin_talk_company
[While I have you|One more thing], [the {month} dates|the {few} open points|your {seats} seats] [look fine|are
   confirmed|are on my list], [I write it down|you get it by {day}|my colleague has it].
[I spoke|We spoke] with [engineering|our counsel|support] [on {day}|this morning], [they need|it takes] {few} [days|
   hours], [nothing on your side|and one file from {team}|at most].

@ next_steps_company
[To be on the safe side|So that nothing slips|As always], I [write|put] [that|all of it|the {few} points] [in one
   mail|into a shared list|on a page], [tonight|by {day}|within {few} hours], [with names|with dates|and copy {team}].
[If anything changes|Should {day} not work|If {team} needs more time], [a short message|a text|a call] [is enough|will
   do], [we then|and we] [move it by {few} days|find {minutes} minutes|take {day2}].

@ next_steps_customer
[On my list|My part|What I take with me]: [the file|{few} names|the {count} articles] [for {team}|by {day}|from
   {system}], [and|plus] [a word with our {role}|a room in {city}|the dates in {month}].
[I will need|Give me] [{few} days|until {day}|{weeks} weeks] [for that|to get it], [because|since] [{team} is in
   {city}|we are short of people|it has to go past the {role}].
"""
