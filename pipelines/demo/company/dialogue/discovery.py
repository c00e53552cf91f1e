"""Text of discovery: how the customer plans today, and how it will decide."""

TEXT = """
== situation | Current state | Business Overview

@ process
On {day} the planners export [the sales|last week's sales|everything] from {system}, [which takes|and that takes]
   about {minutes} minutes.
Then [each region|every category|each planner] [copies|pastes] it into [its own|a separate] sheet, and [there are|we
   have] {count} of those.
[Promotions come by mail|The promotion plan is a slide deck|Marketing sends its plan as a picture], so [someone|one of
   us] types [it|them] in by hand.
[Suppliers confirm|Our suppliers confirm] [late|when it suits them|in {few} different formats], and {team} [keys that
   in too|chases them by phone|spends half of {day} on it].
By {day2} there are [two|three|four] versions [of the same plan|of the truth], and [no one dares to delete one|the
   newest is rarely the best].
[If a store manager calls|When a store complains], we [bump the number|add a bit on top] and [hope|move on|hope it was
   only that store].
The [buffer|safety stock] is [a percentage|one figure] for [all|most] of {goods}, [set|agreed] about {weeks} years
   ago.
[New articles|New lines] get the numbers of [whatever they replace|the nearest lookalike], which [works about half the
   time|is a polite word for guessing].
Then {team} [cuts|trims] the orders [to stay within budget|because the cash is short that week] without [looking at|
   knowing about] the promotion.
[And on {day} it starts again|And then the week is over|After that we print it, believe it or not].
[What we order|The quantity that leaves the building] [differs|is off] by about {percent} percent from [what we
   planned|what the plan says].
[The only person who knows every formula|The colleague who built the sheet] [works part time|left in {month}|is on
   leave until {month}].
[We do this|The same exercise runs] for {sites} locations, [more or less|give or take a few], and [each one is
   special|they all swear they are different].
[Last {month}|In {month}] we [lost|wasted] [two days|a full day|most of a week] because [a column had moved|a macro
   broke|someone sorted only half of the table].

@ story
In {month} we had [a promotion|a big campaign] on {goods}, and [the shelves were empty|we were sold out] by {day}.
[The week after|Ten days later] the [delivery|second delivery] [arrived|turned up], and then we [sat on it|could not
   sell it] for {weeks} weeks.
We marked [it|most of it] down by {discount} percent [just to get rid of it|and still threw part of it away|and the
   margin was gone].
[My phone did not stop|I had {few} store managers on the phone] [that day|before lunch|that morning].
The [forecast|plan] had [said|shown] {count} [pallets|cases|boxes], and we needed [nearly twice that|a third less|a
   good deal more].
[The supplier was not even late|It was not the supplier's fault], [we had simply ordered too little|the order went out
   on {day} instead of {day2}].
[Afterwards|When we looked into it] we found [two plans|three sheets|a formula] [that contradicted each other|that no
   one had opened since {month}|that still had last year's dates in it].
[And what made it worse|What hurt most] was that {team} had [warned us|seen it coming|pointed it out in a mail].
[Finance|Our finance people] put the damage at about {percent} percent of [the quarter's margin|the margin in that
   category].
[My boss called it|The director called it] [an expensive lesson|an unforced error|avoidable], and [that is why we are
   talking|I could not really argue].
[It was not the first time|The same thing happened two years ago], [only with other articles|just in {city}|with
   {goods} as well].
[Since then|Ever since] we [order too much|overstock] [to be safe|so that it never happens again], which [costs|ties
   up] [money we do not have|cash in {sites} back rooms].

= {buyer} described how planning works today | first
H: [Walk me through|Take me through|Describe to me] a [normal|typical|regular] week[| in planning]. Where does the
   plan [come from|start]?
B: [Well|Okay], [it starts with an export|it is not pretty|you asked for it]. <process 6-12>
H: [I hear that a lot|You are not alone with that|That is the most common answer I get]. [Who notices first when it
   goes wrong?|How often does it go wrong?|What happens when someone is ill?]
B: [The stores|{team_cap}], [usually|nearly always] [on a {day}|within a day|before we do].

= {account} struggles with {pain} | first
H: [What made you take this call?|Why look at this now?|What prompted you to talk to us?]
B: Honestly, {pain}. It [cost us|came to|was] about {percent} percent of margin last [quarter|season|year]. <story
   0-5>
H: [How did you arrive at that figure?|How did you come up with that figure?|How did you get to that figure?|Where
   does that figure come from?|Is that measured or estimated?|Who worked that out?]
B: Finance [compared write-offs for|looked at|sampled] {sites2} sites [over {few} months|between {month} and now|and
   extrapolated]. [It is rough|Give or take a point|I would not sign it], but [the direction is clear|no one disputes
   it].

= A bad experience with a promotion
H: [Can you give me an example?|When did it last really hurt?|Tell me about the last time it went wrong.]
B: [Oh, easily|Where do I start|Sure]. <story 5-11>
H: [What did it cost in the end?|And what was the consequence?|Did anything change afterwards?]
B: [Around {amount2}, all in|A customer we had for years, and about {amount2}|We added yet another check, which {team}
   now fills in every {day}].

= {system} remains the system of record
S: Which systems [hold|contain] the data we would need?
C: Orders [live|sit] in {system}. Stock comes from a warehouse tool that {team} [bought in a hurry|introduced {few}
   years ago|swears by]. [Promotions|Supplier terms|Pallet sizes] are [in yet another place|with the buyers|in shared
   folders|on {few} different drives].
S: Do those [two|three] agree with each other?
C: [Within {percent} percent on a good day|On paper|Only right after stocktaking]. [The gap|The difference] is [mostly
   timing|mostly returns|goods in transit, as far as I can see].
S: That is [workable|normal], we [reconcile on load|flag what does not match|only need to know which one wins].

= {team} carries most of the manual work
B: The people who [suffer|struggle] most are in {team}. They spend {count} hours a week [reconciling|copying numbers|
   chasing confirmations|explaining differences].
H: [Is that the same every month?|Is it like that all year round?|Does it vary over the year?|And in a busy month?]
B: It doubles before [a promotion|the season|every stocktake]. [And in {month} two of them quit|And the overtime for
   {sites} sites ends up on my desk|That is why no one takes leave in {month}].

= Growth makes the problem more urgent
B: We open {few} new locations [by summer|before {month}|within a year].
H: [And the planning team grows with it?|And the planning team grows as well?|Does the planning team grow, too?|With
   more planners, I assume?|And who will plan those, new people?|Will the team be larger by then?]
B: [No, that is rather the point.|No, that is exactly the point.|Not by a single person, which is my point.|That is
   just it, no.|Headcount is frozen, so no.|If only.] The same {few2} people have to [carry|handle] it.
H: [How many articles does each of them look after?|What is the limit per person today?]
B: [Around {count}0 each|Some {count}0 per head], [and that is already too many|which no one can really keep in mind].

= {account} measures {metric}
H: [If this project works, which number moves?|If this project works, which number should change?|A year from now,
   which figure should look different?|How would you know that it was worth it?|Which number do you want to see move?|
   What would you measure to call it a success?]
B: We would look at {metric} first. Today we are {percent} points below target. [The second one is waste|After that
   comes the hours we spend|Working capital would be next].
H: [So a change of two points would already be visible.|So a change of three points would already be visible.|So even
   a small step would show.|Then two points would make a difference.|So three points, and people would notice.|Then we
   need not aim for the moon.]
B: [Visible enough for a bonus|Very much so|It would pay for the project by itself].

= {account} measures {metric}
H: How do you [track|measure] {metric} [today|at the moment]?
C: Once a month, [by hand|in a pivot table|with a script an intern wrote]. [And each region does it its own way|By
   then it is too late to react|The number comes {weeks} weeks after the fact].
H: So [no one can steer by it|it is more history than steering].
C: [Exactly|That is a good way to put it|Sadly, yes].

= Earlier attempts failed
H: Have you tried to [solve|fix] it before?
B: [Twice|Once, and it left scars|Oh yes]. A consultant built us a model that [no one could maintain|fell over with
   the first promotion|needed him to run it]. After {weeks} weeks we were back in the spreadsheet.
H: [What would have to be different this time?|So what should we do differently?|What did you learn from that?|What
   must not happen again?|And what would make it work this time?]
B: It has to run without [a person who knows all the formulas|daily care|a specialist on standby]. [And {team} has to
   want it|And it has to explain itself|And I need to see it work on {goods} first].

= Service level differs by region
C: Around {city} we are fine. [Elsewhere|Further out] {metric} [falls off a cliff|is a different story|drops by
   {percent} points].
H: Do you know why?
C: [Longer lead times, and suppliers who confirm late|Smaller stores, so every mistake shows|We simply have less
   history there|The depot there serves {sites2} stores with one truck].

= Seasonality at {account}
H: [How seasonal is your business?|How uneven is your business?|How much does the season matter to you?|Is there a
   peak that makes or breaks the year?|What does your year look like, month by month?]
B: [Very|More than people think]. {month} is [about {percent} times|easily double] a normal month for {goods}. [If we
   get that wrong|If we miss that], the rest of the year [does not matter|cannot make up for it].
H: [And when do you have to commit to the quantities?|And when do you have to commit to suppliers?|How early do you
   have to order for that?|And by when are the quantities fixed?|When is the last day to change an order?]
B: {weeks_cap} weeks ahead, sometimes more. [By then we know next to nothing|It is a bet, every year].

= Suppliers and lead times
H: [What do your lead times look like?|How long do your suppliers take?|Tell me about lead times.|What is a normal
   lead time for you?|How far ahead do you have to order?]
B: Between [four days|a week] and {weeks} weeks, [depending on the supplier|it depends who you ask]. [About {count} of
   them are reliable|A handful are reliable to the hour|The papers from {month} say one thing and the truck another].
H: [And which number goes into the plan?|And which of the two do you plan with?|Do you measure the real lead times?|
   Does the plan know about that?|Is that reflected in the plan?]
B: [With the contract|With the official figure|With whatever is in {system}], [unfortunately|as no one measures the
   rest|which is {percent} days too short|and then {team} adds a bit], [except for {goods}|even for {city}|at least
   until {month}|and everyone knows it].

= The role of the stores
S: [How much say do the stores have?|How much influence do the stores have?|Can the stores change an order?|What may a
   store decide on its own?|And what do the stores contribute?]
C: They can change [any order|an order] until {day} noon. And they do, about {percent} percent of [all lines|the
   lines].
S: [Does it help?|Is that a good thing?|And are they right?|Does it get better that way?|Do you know whether that
   helps?]
C: [No one knows|Sometimes|When they know about a local event, yes]. [We never look back at it|Nothing is recorded|We
   stopped arguing].

= Waste and markdowns
H: How much do you [write off|mark down] in a normal month?
B: For {goods}, about {percent} percent. [Our target|The plan|What we budget] is [{few} points lower|half of that|
   about {percent} percent], [and we miss it every month|and {city} never gets there|which {team} calls a dream|but
   only part of it gets recorded].
H: [What would you do with the money?|And if you could halve that?|What would that money do elsewhere?|Who would
   benefit if that went away?|What else could it pay for?]
B: [Hire|Open another store|Sleep better|Give the stores a proper system for once].

== decision | Decision process | Decision Process

@ criteria
[First|First of all], it has to [hit|reach] [a better|a clearly better] {metric} than we [have|manage] today, measured
   over {weeks} weeks.
[Second|Then], it has to [talk to|work with] {system} without [a custom project|an army of consultants].
[I also want|We also want] {team} to [understand|follow] [why a number is what it is|where a figure comes from].
[Effort matters|Effort counts as well], because I can [spare|free] {few} people for [a day a week|{count} hours a week
   at most].
[Security has a veto|IT has a veto], so [a clean review|their questionnaire] is [not optional|a condition].
[And references|References count], ideally [someone with {goods}|one in {city}|a company our size].
[Cost is in there too|Then there is cost], though it is [a quarter|about a third|less than half] of the score.
[Last point|And finally], whoever we choose must [be there|answer the phone] in {month}, [when it hurts|in the
   season].

= {buyer} owns the evaluation, finance signs
H: [Who else should be part of this decision?|Who else is part of this decision?|Whose opinion counts besides yours?|
   Who signs in the end?|Are there others who have to agree?|How does a decision like this get made?]
B: [I own the evaluation.|The evaluation is mine.|I run the comparison.|I make the recommendation.|The shortlist is my
   job.] Anything above {amount2} goes to our finance director.
H: [Would it help to bring them in early?|Would it help to bring her in early?|Would it help to bring him in early?|
   Should we involve them now?|Is it too early to meet them?|Would a short call with them make sense?]
B: [Yes|In principle yes|Later], [but|though] [only with|not without|I first want] a business case [in hand|on one
   page|with {metric} in it|that {team} supports], [or we lose the room|the {role} is strict there|and not before
   {month}|otherwise it backfires].

= {account} also looks at {competitor}
H: Are you [comparing us|talking] with [anybody|anyone else]?
B: [We|{team_cap}|Some of us] [saw a presentation by|had a session with|met|tried] {competitor} in {month}[, with
   {few} people|, for {minutes} minutes| at the {city} fair| on a friend's advice].
H: [What did you like about it?|What did you take away from it?|What was your impression?|How did that go?|Did
   anything stand out?]
B: It [looked polished|was impressive on stage], but [no one could explain how {goods} were calculated|it never
   touched our own data|the answers on {goods} were thin].

= {competitor} is well liked at {account} | lost
H: [Who else is in the picture?|Are we up against anyone?]
B: {competitor}, [and I should be open|to be fair|since {month}|for {goods}], [they are ahead|{team} likes them|they
   have been here {few} times].
H: What do they do [better|well]?
B: [They understood {goods} from the first meeting|They showed {system} connected and running|Their people have worked
   in {industry_short} themselves]. [That is hard to ignore|And it shows|You would have to beat that].

= {competitor} is the incumbent in one division
C: [One of our divisions|The {city} branch|Our {goods} division|A sister company] [already runs|works with|pays for|
   has had] {competitor}[, since {month}| for {few} years|, {seats} seats| and wants to keep it].
S: [Would both stay, or is the plan to consolidate?|Do you want to keep two systems?|When does that one end?|Would we
   replace that or sit next to it?]
C: [Consolidate, if the numbers make sense.|One system, ideally.|We would like just one, if we can afford the switch.|
   In the long run there should be only one.] [Their term ends in {month}|Their users are not happy, I hear|No one
   wants to be first, though].

= No competitor in the deal | alone
H: [Which|What] [competitors|competitor products|other competitors|direct competitors] [have you seen|are on your
   list|do you look at|came up] [for {goods}|in {month}|besides us|with {team}]?
B: [None, to be honest|Nothing serious yet|Nobody so far]. [The real|Your real|Our only|The toughest] [alternative|
   competition|competitor] is [another year of spreadsheets|hiring {few} more planners|doing it in {system}
   ourselves][, and it is free| for {goods}|, says {team}|, which our {role} likes].
H: What [speaks for|is the case for] that?
B: [It is what people know|No one gets fired for it|It looks free, which it is not].

= Building in-house was considered | alone
B: [Our data people|Two of our analysts] [offered to build it themselves|have a prototype].
H: How far [are they|did they get]?
B: [It handles|It predicts] {percent} articles nicely and falls apart on the rest. And [they have other work|neither
   of them wants to be on call for it].

= A decision is wanted before the peak season
B: [We need to be live before the peak season, otherwise we wait another year.|If we are not live before the peak
   season, we skip a year.|The peak season is our deadline, after that we stop until spring.|It has to run before the
   peak season.|Everything has to be in place when the peak season starts.]
H: [Counting back|If I count back|From there], that [gives|leaves] us {weeks} weeks [for the contract|between trial
   and contract|to get a contract through legal] [and {weeks2} for {goods}|and no slack|including {few} holidays|if we
   start on {day}].
B: That is [tight|ambitious], but [our legal team is quick|I have seen worse|we have done it before].

= Procurement has to be involved
B: Procurement will want [three quotes|three bids], that is policy.
H: We can give you a comparison sheet that they usually accept.
B: Please do. It saves me [a week|a lot of mail|at least {few} meetings].

= The evaluation criteria were named
H: [How will you score the candidates?|How will you compare the candidates?|What will you judge us by?|On what basis
   do you decide?|How do you tell a good offer from a bad one?]
B: [There is a list|We wrote that down]. <criteria 3-7>
H: [Good, then let us plan the trial around that|That is a fair list|I can work with that]. [Which one would stop us?|
   Which of these is a must?]
B: [The first one|The effort, to be honest|If {team} says no, that is it].

= The steps up to a signature were listed
H: [What has to happen between today and a signature?|Walk me through how you buy something like this.]
B: [A trial, then a paper for the board|First {team} has to recommend it, then finance, then legal|A pilot, a
   reference, and a yes from the director]. The board meets [in {month}|every {few} weeks|on the first {day} of the
   month].
H: [And who writes the paper?|And who prepares the paper?|Who puts that together?|Can I help with that paper?|Is there
   someone who drafts it?|And the author of that paper is you?]
B: [I do|That would be me], and I could use help with the numbers.

= The decision depends on one sceptic | lost
B: [I should warn you|You should know], our {role} is not convinced.
H: [What would change that?|What would help?|Is there anything that would turn that around?|What would it take?|What
   is behind that?]
B: [I am not sure anything would|Proof, and more time than we have]. [There was a bad project in {month}|The last tool
   cost us {amount2} and delivered nothing].
H: Could I [speak|talk] to [them|that person] directly?
B: [I will ask, but do not hold your breath|Not before {month}].

= A champion was found in {team} | won
B: [The head of {team} is on your side|You have a fan in {team}], by the way.
H: [That is great to hear.|Oh, what did we do right?] [What convinced them?|What was it?]
B: [The explanation behind each number|That you said no to one of our ideas|They saw their own articles in the trial
   and went quiet]. [That does not happen often|I have not seen that before].
"""
