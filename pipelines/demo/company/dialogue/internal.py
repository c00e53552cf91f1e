"""Text of internal calls: team meetings about deals and the forecast, and coaching between a manager and a rep."""

TEXT = """
== standup | Team update | -

@ update
[I had|We had] [the second|another] [call|session] with {account} on {day}, {minutes} minutes, and [it went well|it
   was useful|they were late].
{buyer} [is pushing|drives it], but the {role} [has not said a word|has not been on a single call].
[They are at|The deal is at] {amount}, [down from|up from] [what we had in {month}|my first guess].
[The pain is clear|What hurts is clear], {pain}, and they [put|have put] {percent} percent on it.
[The blocker|What blocks us] is {system}, [because|since] [their admin is away until {month}|no one knows the
   version].
[I sent|They got] the [order form|proposal] on {day}, and [{buyer} opened it {few} times|so far silence].
[I want|I need] [a reference|someone] in {industry_short}, [ideally|best] near {city}.
[They asked|{buyer} asked] for {discount} percent, and I [have not answered|said I would come back] yet.
[My plan|The plan] is a [workshop|session] with {team} [on {day}|before {month}], then [legal|the contract].
[I would|I will] [keep|leave] it in [commit|best case] for [this|the] quarter, [at|say] {count} percent.

= {account} moves forward
H: What is new on {account}?
S: {buyer} answered. [They want the technical session before any talk about money.|First the technical session, then
   the money.|No talk about money before the technical session.|The technical people want to see it first.] <update
   3-8>
H: Is {amount} still realistic?
S: [I would call it the upper end.|That is optimistic.|A bit less, I think.|If all goes well.]

= {account} was gone through
H: [Next|Let us take] {account}. [Where are we?|Who wants to start?|What changed since {day}?]
B: [I do|That one is mine]. <update 3-9>
H: [What do you need from me?|What is the risk?|When did you last speak with the person who signs?]
B: [A call from you to their {role}|That it slips into {month}|Not yet, and I know|An hour with someone who knows
   {system}].
H: [Put it in my calendar|Consider it done|Then that is your job for {day2}].

= {account} is at risk | lost
S: I [worry|am worried] about {account}. <update 2-5> [{buyer} has gone quiet|Two meetings were moved, the third was
   cancelled].
H: [Since when?|What was the last thing they said?]
S: [Since the {percent} percent came up|That they would discuss it internally|{weeks_cap} weeks now].
H: [Try someone else over there|Ask straight out whether it is dead|Take it off your list for {month}, then].

= {competitor} shows up at {account}
B: [At {account}|Over at {account}|In the {account} deal] {competitor} [is in|turned up|showed their tool|met the
   {role}] [last week|on {day}|in {city}|with {few} people].
H: [What do they say about us?|What is their story about us?|How do they attack us?|And what is said about us?]
B: That we take {weeks} weeks to go live. We should answer with [numbers|facts|the {city} project].
H: [Who has the slide?|Ask them how long their last one took.]
B: [I will dig it out|I have three examples].

= Lessons about {competitor} were shared | lost
C: [I had|We met|There was] {competitor} [at {account}|at {account} again|at {account}, in {city}|in the {account}
   deal]. [They lead with {goods}|Their demo runs on the customer's own data|They bring a former planner to every
   meeting].
H: [And what works against it?|What did you try?]
C: [Nothing so far|A trial, as early as possible|Asking how the number is made, in front of {team}].

= The forecast for the month was reviewed
H: [Let us do|Time for|Next is|We still need] the forecast[ for {month}| by region| for {team} deals|, {minutes}
   minutes], [please|then we are done|and be honest|{account} last]. [What closes before the end of the month?|What is
   safe before the end of the month?|Tell me what closes by the end of the month.|Anything left for the end of the
   month?]
C: [Two|{few_cap}] that I am sure of, and {account} if legal behaves.
H: [I put {account} in best case then.|{account} is best case, then.|So {account} stays in best case.|Let us call
   {account} best case.]

= The number was discussed
H: We are at {percent} percent [behind|below] plan with {weeks} weeks to go. Ideas?
S: {account} could [come in early|sign in {month}|be brought forward], [if we move on the term|with {discount} percent
   off|if {buyer} gets {few} seats more], [I asked|I heard it on {day}|that is my guess|they hinted at it].
C: [And I have|There are|I still have] {few} [small ones|renewals|renewals around {city}] [that could add up|for about
   {amount2}|that might close by {day}|in {industry_short}], [so we may get there|nothing fancy|if {team} moves|most
   of them with a date].
H: [Take the small ones|I will ask about the term|Bring me the list], and [no new discounts without me|no discount
   above {discount} percent|let me know by {day}|tell me who signs], [please|and I mean it|before {month}|also for
   {account}|not even {percent} percent|with the name of the {role}|however small].

= Help is needed from engineering
S: I need [someone|a person] who knows {system}. [The customer asks about a version I never saw.|They run a version I
   have never seen.|It is a very old release.|I have no idea how that one works.]
H: [Take it to the channel and name the customer, otherwise it drowns.|Post it in the channel, with the customer's
   name.|Ask in the channel, and say who it is for.|Put it in the channel and mention the deal.]
S: [Will do|On it].

= Pipeline is thin in one region
B: My pipeline around {city} is thin. I made {count} calls and booked [one meeting|{few} meetings].
H: [Try the people who were at the trade fair.|Start with the list from the trade fair.|Who did we meet at the trade
   fair?|Use the trade fair contacts.]
B: I have the list, I start on {day}.

= A lesson from a lost deal was shared
C: [We lost the one I mentioned.|The deal from last week is gone.|I lost one on Friday.|We got a no on the big one.]
   [The price|It|Our offer|And no, the price] [was not the reason|was not what decided it|never came up in {few}
   meetings|was fine for {team}|was even {percent} percent lower], [I asked {few} times|according to {team}|as far as
   I know|{buyer} said so|before you ask].
H: What was it?
C: [We never met the person who signs.|I never spoke with the one who signs.|There was a person I did not know about.|
   My contact had no say, as it turned out.] [I would bring in finance earlier next time.|Next time I ask for finance
   in the first call.|I should have met finance in week one.|Finance has to be there from the start.]

= The demo data needs a refresh
S: [The demo account still shows last summer.|The dates in the demo account are old.|Our demo account is out of date.|
   In the demo account it is still last year.]
H: Who can refresh it?
S: I can do it on {day}, it takes an hour.

= A customer praised the team
B: {buyer} at {account} wrote that {metric} is the best they ever had.
H: Forward it to [everyone|the whole team], please.

= Prices were debated
B: {few_cap} [customers|buyers|prospects] [asked me|wrote to me|complained] [this week|since {day}|in {city}] [why|
   that] the [price|list price|seat price] [went up|is {percent} percent higher|changed in {month}|is above {price}].
H: [What did you say?|And your answer was?]
B: [That support is in there now|I compared it with a store manager's working hour]. [Two of them were fine with it|It
   landed, mostly].

= Holidays and cover
C: I am out from {day} on, {weeks} weeks. Who takes {account}?
S: [I can|Give it to me], [if you leave notes|but I need {minutes} minutes with you first].
C: [Everything is in the deal notes|I will introduce you to {buyer}].

= A call was reviewed together
H: I listened to your call with {account}. [The first {minutes} minutes were strong|You asked {few} good questions in
   a row|I liked how you handled {buyer}].
S: [And the rest?|But?|I sense a but.]
H: [You explained for {few} minutes without a pause|They mentioned {amount2} and you moved on|What you agreed for
   {month} had no date and no name].
S: [Yes, I noticed|True, I was nervous about the time|I will ask next time].

= Marketing brought news
C: [The webinar|Our event in {city}] [brought|got us] {count} names, {few} from {industry_short}.
H: [Who calls them?|How do we split those?]
C: [Growth takes the first round|By region, the list is in the channel since {day}].

= A tip about {system} was shared
S: [By the way|Something useful], [{system} has an export no one knows|you can ask for the audit log of {system}], [it
   saved me {few} days at {account}|ask for it before the trial].
B: [Where do I find it?|Can you write that down?]
S: [I will post it|It is in the notes of {account}].
"""
