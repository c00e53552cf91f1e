"""Text of commercial calls: objections, prices and contracts, and the reasons for a lost deal."""

TEXT = """
== objections | Questions and concerns | Objections

@ reassurance
[A customer near {city}|One of our customers in {city}] had [exactly that|the same] worry, and [they run|now runs]
   {sites2} sites on it.
[In their case|There] it took {weeks} weeks [before|until] {team} [stopped checking|trusted it].
[What helped|What made the difference] was [to start|starting] with {few} stores and [one|a single] category.
[We met|We sat down] every {day} for {minutes} minutes, [no more than that|and that was all].
[The first result|The first number] was [{percent} points|about {percent} points] of {metric}, and it [held|stayed].
[I would not|I will not] promise you the same, [because|since] {goods} [behave differently|are another matter].
[But|What] I can [promise|offer] is that you [see|will know] after {weeks} weeks whether it [works|is worth it].
[If it is not|If not], you [walk away|stop], and [keep|you keep] the [cleaned data|analysis].
[You can talk to them|I can introduce you], [without|and you can do it without] [me in the room|us on the line].

= {buyer} worries about the budget
B: [I like it|It looks good|I am convinced|My team wants it], but [we have no budget|there is no budget left] [for
   this|for {goods} tools|for anything new|in {team}] before [next year|{month}|the new fiscal year|our {month}
   round], [I am afraid|and I did ask|unless we stop something else|and that is not my decision].
H: What would the delay cost, with {percent} percent of margin at stake?
B: [Fair point|You have me there|More than I want to say out loud]. [I would need help to make that case.|Could you
   put that on a page for me?|I could use your help there.|Then I need numbers I can show.]
H: [Then let us do it together|I have a template for that|Give me {minutes} minutes on {day} and we have a draft].

= The project was called too expensive
B: [To be frank|Honestly|I have to say it], [this|your offer|{amount}] is [too expensive|{discount} percent too
   expensive|still too expensive] [compared with|next to|against] {competitor}, [even with support|and {team} noticed|
   at least in year one|on paper].
H: Does their offer include the integration with {system}?
B: [I am not sure|Good question|I doubt it]. I have to check.
H: [It usually adds|In other cases it added|Ask them, it may add] {discount} percent [on top|in the first year|for
   {system} alone|and {weeks} weeks]. <reassurance 0-3>

= The project was called too expensive | alone
B: [It is|That is|For us it is|Frankly, it is] [too expensive|simply too expensive|a bit too expensive] [for what we
   planned|for a first step|for {sites} sites|before we know {metric}], [by {discount} percent|I would say|even split
   over {few} years|and I have to say so]. We had [something like|around] {amount2} [in mind|in the plan].
H: [What was that based on?|Where does that figure come from?]
B: [A guess from {month}|What we pay today for the old tool]. [And hope|I know, not a great method].
H: [Then we should look at what it saves|We could start with {sites2} sites and grow]. <reassurance 0-4>

= The timing is difficult for {team}
C: It is not the right time for {team}. They are in the middle of [a move|a stocktake|a reorganisation].
H: [When does it calm down?|When would be better?|Until when?|How long will that last?|And after that?]
C: In about {weeks} weeks.
H: The first weeks need [no one but your data people|only a data extract|{few} hours of your time in all].

= Adoption is the main concern
B: My concern is that [people stop using it|it gathers dust|no one uses it] after the first month.
S: [We measure that, and I call you when the logins drop.|I see the logins, and I call before you notice.|That is what
   I am paid for, so I watch it.|We look at the use every week together.] <reassurance 2-6>
B: [The last vendor said the same.|I heard that sentence before.|So did the last one.|Everybody says that before the
   signature.|I would love to believe it.]
S: [Then talk to a reference.|Do not take my word for it.|Ask someone who has it.|Then hear it from a customer.] I can
   set up a call with [a team|a planner|someone] near {city}.

= Accuracy must be proven on own data
C: [Everyone|Every vendor] promises accuracy. [We have been burned before|I have heard {percent} percent from three
   vendors|We bought that story in {month}].
H: [Give us|Send us|Let us have] [two years|{count} months] of [history|sales|data] [for {goods}|from {city}|for {few}
   categories] and [hide|keep back|do not show us] the last {weeks} weeks. <reassurance 0-4>
C: [And if you miss?|And what if you are wrong?|What if it does not work?|And if the result is poor?]
H: [Then you have learned it for free.|It cost you a file, then.|Then we part as friends.|Then you know, at no cost.]

= {competitor} promised a better {metric}
C: {competitor} [promised|guaranteed|offered|showed] us {percent} points [more|of improvement|gain] in {metric} [by
   {month}|within {weeks} weeks|for {goods}|on paper].
H: [On what data?|Over which {weeks} weeks?|Measured how?]
C: [They did not say|On their own sample|It was on a slide].
H: [I would ask|Ask for it in writing]. We [put|write] ours into the order form, with the way it is measured.

= A longer contract is a risk for {account}
B: [Three years is a long time.|Three years is too long for me.|I cannot look three years ahead.|Nobody here signs for
   three years.|We have bad memories of anything longer than {few} quarters.] [Things change here every six months.|
   Things change here every quarter.|Half of us may do something else by then.|By then we could have a new owner.|Too
   much can change.]
H: [We can agree on a way out after the first year.|There is a break clause after a year.|I can give you an exit after
   twelve months.|We could review it after one year, with a way out.]
B: That would make it easier to [sign|defend].

= My concern: dependence on one vendor
B: [Another|One more|A second|My last] concern is what happens [if you get bought|when your best people leave|if you
   raise prices in two years|in {few} years], [when we depend on it|with {sites} sites on it|and all of {team} works
   in it|once there is no way back].
H: [Fair question|I would ask that too]. [The data is yours|A cap on increases is in the contract|The source is in
   escrow|Your exit is in the contract], [in plain files|on page {few}|with a date in {month}|as for every customer],
   [and legal knows the clause|and I can show it to {team}|which few people ask for|so that is covered].
B: [That helps|I will show that to legal|Good, I need that in writing].

= The effort on the customer's side
C: [How much of my team's time|How many hours] does this eat in the first {weeks} weeks?
H: About {few} hours a week for one person, and {minutes} minutes for [the rest|each planner]. <reassurance 1-5>
C: [My experience is double that|I will plan twice that|If it stays at that, fine].

= Planners fear for their jobs
C: [People will ask whether they are being replaced|There is some fear in {team}|The works council will have
   questions].
H: [No customer of ours has cut planners|It takes over the boring part]. <reassurance 1-4> [They end up with more to
   decide, not less|What goes away is the copying].
C: [You should say that in front of them|I hope you are right|Put that on the first slide].

= Earlier promises were not kept | lost
B: [I have to be honest|One thing bothers me], you [promised|said we would get] [the analysis|the sample|the answers]
   by {day}, and [it came a week late|I am still waiting|half of it is missing].
H: [You are right, and I am sorry|That is on me|I have no excuse for that].
B: [It makes people here wonder what support would be like|{team_cap} noticed|My boss asked me about it in the
   corridor].

= The project lost its priority | lost
B: [The truth is|To be open], [the project moved down the list|the board wants to see cash first|everything new is
   frozen until {month}].
H: Is there anything [I|we] could do to [keep it alive|help]?
B: [Not really|I will try, but no promises]. [It is not about you|Ask me again after {month}].

= No fit for {goods} | lost
C: [I am still not convinced|I do not see it] for {goods}. [The trial was off by {percent} percent|Three of our top
   articles were plain wrong].
H: [We had only {weeks} weeks of data|That was before we had the promotions].
C: [That may be|Perhaps], but [the others had no more than that|that is what we can give].

== pricing | Commercials | Pricing

@ package
The [fee|subscription] [covers|includes] [the forecast|planning] for [all|up to] {sites} locations, [with no limit on
   articles|whatever the number of articles].
[Support|Our support] is [part of it|included], [on weekdays|from seven to seven], and [a named person|someone you
   know] [calls back|answers].
[Setup|The setup] is [a fixed amount|one fixed amount], {amount2}, and [covers|that includes] the connection to
   {system}.
[Training|Two days of training] [is|are] [in there as well|included], [here|on site in {city}] or [remote|online].
[Viewers|People who only look] [are free|cost nothing], [only planners count|we count those who change the plan].
[You pay|Billing is] once per year, [in advance|at the start of the term], [which|and that] [earns|is worth] {percent}
   percent.
[If you add|When you open] locations, the [fee|amount] [grows|goes up] [with them|step by step], [never|but not]
   during the term.
[The second environment|A sandbox] [comes with|is part of] the [larger|upper] package, [which|and that] is [the one
   here|what I calculated].
[After the first year|From year two] increases are [capped|limited] at {percent} percent.
[There is|We have] a [way out|clause] after twelve months if {metric} [has not moved|stays where it is].

= The offer is {amount} for {seats} seats | first
H: The proposal is {amount} a year for {seats} seats, [with support included|support included|all in]. <package 2-8>
B: [Is|Just to be clear, is|So is|Sorry, is] [{amount}|that figure|{amount} a year|what I see here] [the list price,
   or|a list price, or is it] [ours|already our figure|the one for {sites} sites|what {account} would pay], [with
   setup|all included|for {seats} people|taxes aside]?
H: [That|The {amount}|What you see] is after the [volume discount|discount of {discount} percent|discount from
   {month}|{discount} percent discount], [already|so your price|the list would be more|for {few} years], [with {seats}
   seats|and it covers {city}|as in the last version|which I had to fight for].

= The offer is {amount} for {seats} seats | first
B: [So what does it cost?|Let us talk numbers.|What are we looking at, roughly?]
H: For {seats} seats we are at {amount} per year. <package 3-9>
B: And [the price|that price|the pricing] for {few} [more|extra|new] [sites|stores|locations] [in {month}|next year|
   around {city}] [would be|is] [the same|on top|lower|in there already]?
H: [On top, at the same rate|Included for the whole of the first term|You would pay for them from the day they open].

= {buyer} asked for a discount
B: [If we sign|Suppose we sign|Say we sign] [this month|by {day}|before {month}|for {few} years], [is there a
   discount|what discount is there|do we get a discount|can you move on the discount] [on top|for {seats} seats|worth
   {amount2}|beyond {percent} percent]?
H: [I can take|I would take|Let me take] [a discount of |][{discount}] percent to my manager, [if the term is three
   years|for a term of three years|if {few} regions join|if you sign by {day}].
B: [Let me see whether I can sell three years.|I can try three years.|Three years is a hard sell, but let me ask.|I
   will ask about the term.] [With a break after one, maybe|Two would be easier].

= {buyer} wants to know how the list price is built
B: [How do you get to|How did you arrive at|Can you explain|What is behind] [a|the] list price of {amount} [for us|
   with {seats} seats|when {city} is a third of that]?
H: [It follows|We go by] [the number of locations|sites and planners], [so {sites} and {seats}|not revenue]. <package
   1-5>
B: [Then|So|Perhaps] a price per [site|region|planner] [would be|is] [clearer|easier to explain|fairer] [for {team}|
   for our {role}|here|with {sites} sites].
H: [I can write it that way|It comes to the same, and I will add that view|For you that is {price}].

= The price per seat was discussed
C: At {price} per [seat|user|planner], [the price is|that price is|we are] [{percent}|about {percent}] percent above
   what {team} [planned|has in the budget|can sign|expected in {month}].
H: [What did they assume?|How many seats was that for?]
C: {seats}, [all of them full users|viewers included]. [So there may be some air in it|I can ask them to count again].

= A price in steps was proposed
H: [We could start|What about starting] at [a lower price|a price of {price}] for [the first|an opening phase of]
   {few} months and [rise|step up] once {metric} [moves|improves].
B: [Interesting|I like that]. [Who measures it?|And who decides that it moved?]
H: [Your finance team|You do|The same report you look at today], [on numbers from {system}|every {weeks} weeks].

= Payment terms were negotiated
B: [We pay after sixty days, always.|We pay after ninety days, always.|Our payment term is sixty days.|Our payment
   term is ninety days.|Finance insists on sixty days.|Finance insists on ninety days.]
H: [Our standard is thirty.|We ask for thirty.|Thirty is what we normally do.|My template says thirty.] [With yearly
   payment in advance I can be flexible.|If you pay a year ahead, I can move.|For payment in advance I can do
   something.|There is room if you pay yearly.]
B: [Put both versions in the order form.|Can the order form have both?|Write both into the order form, then we
   choose.|Send me an order form with each.]

= Licence counting was explained
C: [What counts as a seat?|Who needs a seat?|How do you count users?|What is a seat, exactly?] Half of {team} only
   looks at reports.
H: [Only people who change the plan.|Those who edit the plan.|Just planners.|Whoever edits, nobody else.] Viewers are
   free.
C: Then {seats} seats [is plenty|should do|is on the safe side].

= The pilot is priced separately
B: [What does the pilot cost?|Is the pilot free?|And the pilot, what is that?|What do we pay for the pilot?]
H: A fixed fee of {amount2}, which we credit against the first year.
B: [And if we stop after it?|And if it does not convince us?|What if we end it there?|Suppose we walk away?]
H: [Then you keep the results and owe us nothing else.|Then that was it, and the results are yours.|You owe us nothing
   more.|You keep what was built.]

= Liability is the open point in the contract
B: [Legal marked the liability clause and the data processing annex.|Legal has comments on liability and on the data
   annex.|Two points from legal: liability, and the data annex.|Our lawyer does not like the liability clause.]
H: [I expected the first one.|The first is a classic.|I was waiting for that.|That one comes up every time.] Our
   counsel can call yours on {day}.
B: Good, they speak that language.

= {competitor} offered a lower price
B: I should [tell you|mention] that {competitor} [came back with|sent us] [a lower price|a price of {amount2}|a much
   lower price].
H: [Thank you for being open.|I appreciate that.|Thanks for telling me.|Good to know.] [How far apart are we?|What is
   the difference?|How much lower?|And the gap is?]
B: [About|Roughly|Close to] {discount} percent[.| on {seats} seats.| per year.| in year one.]
H: [I will not race to the bottom|I cannot match that|We will never be the cheapest], but let me look at the term and
   the [pricing of the second year|price of the second year|number of seats].

= {buyer} compared the pricing with another vendor
B: {competitor_cap} [has|uses|offers|showed us] a simpler pricing [model|scheme], one figure [per store|for
   everything|per region|for {sites} sites][, in {few} lines|, no seats to count| from day one|, which {team} likes].
H: [Does it include|Is] the connection to {system} [|in there ]and {few} years of support?
B: [That is extra|I believe it is extra|Not the second one]. [So I had to add it up myself|Which makes it less
   simple].

= A price cap was agreed
B: [We need|Procurement asks for|{team_cap} insists on|I would want] a price cap [for the renewal|from year two|over
   {few} years|for {seats} seats], [say|something like|no more than] {percent} percent.
H: [I can do that|That is possible] [with a term of three years|from {seats} seats on|if we sign by {month}].
B: [Deal|Then we are close|I will take that back].

= The order form was reviewed
H: [Did you get|Have you seen] the order form [I sent on {day}|from {day}]?
B: Yes, [legal has {few} comments|two small things|the start date is wrong]. [Page {few}, the notice period|We need
   {month}, not the month before|And the entity is our holding, not {account}].
H: [Easy|That I can fix today|I will send a new version by {day}].

= The discount was not enough | lost
B: [{discount} percent|The discount] [will not do it|is not enough], [I am afraid|to be honest].
H: What would?
B: [Half the amount|Something near {amount2}|At least {percent} percent more|I am not sure price is the problem], [and
   I know you cannot|at this point|to be honest|if {team} is to agree], [let alone {city}|for {sites} sites|and it is
   late for that].

= Budget was confirmed | won
B: [Good news|I have some good news], finance [confirmed|approved] {amount} [for this year|on {day}|without a fight].
H: [That is great|Wonderful]. [What convinced them?|How did you do that?]
B: [The waste figures|Your sheet with the {percent} percent|That we can stop after a year].

== loss | Reasons for the decision | Decision Process

@ reasons
[In the end|At the end] [it was close|it was not a hard vote], {few} to [one|two].
[{team_cap}|Our {role}] [wanted|preferred] [something that exists in {system} already|the vendor with people in
   {city}|a smaller step].
[The trial|Your trial] was [good|fine], but [on {goods} it was|for {goods} we were] {percent} percent off.
[The price|Cost] was [a point|on the list], [but not the first one|though only the third].
[We also|Also, we] [missed|would have needed] [a reference|someone] [in {industry_short}|our size].
[Timing|The calendar] [played a role|did not help], with [the season|stocktaking] [starting|so close] in {month}.
[You should know|I want you to know] that [the demo|your first session] was the [best|clearest] [we had|of all].

= {competitor} was chosen | first
B: [I wanted to tell you myself|I did not want to do this by mail]. [We|The board|{team_cap}] [went with|decided for|
   signed with] {competitor} [on {day}|last week|after {weeks} weeks|{few} votes to one].
H: [Thank you for calling|I am sorry to hear that, and thank you for telling me]. [May I ask what decided it?|What
   tipped the scale?]
B: [Sure|Of course]. <reasons 3-7>
H: [That is fair|I appreciate the openness]. What could we have done [better|differently]?
B: [Come to us a quarter earlier|Bring our data into the first demo|Speak with {team} before you speak with me].

= No decision was made | alone first
B: [We stopped the project|The project is off for now|We will not buy anything this year].
H: [Did something change?|What happened?]
B: [Several things|It is a long story]. <reasons 2-5>
H: [Should I come back in {month}?|When would it make sense to talk again?]
B: [Not before {month}|When we have a new {role}|I will call you, honestly].

= The door stays open
H: May I [stay in touch|call again in {month}]?
B: [Please do|Yes, do]. [Terms end|The other term ends] [in {few} years|earlier than you think], and [people change|I
   have seen projects fail].
H: [Then I will put it in the calendar|I will, and good luck with it].

= The handover of data was settled
H: [One last thing|Before we hang up], shall we [delete|remove] [the extract|your data] from the trial?
B: Yes, and [a short confirmation|one line in writing] [for our files|for IT], please.
H: You will have it by {day}.
"""
