"""Text of reviews with customers, and of the agreement on next steps."""

TEXT = """
== adoption | Results so far | Customer Success

@ results
[Compared with|Since] {month}, {metric} is up {percent} points, [which is above|a bit above] [what we had in the plan|
   the target].
[Waste|Write-offs] in {goods} [went down|fell] by {discount} percent, [mostly|most of it] [around {city}|in the small
   stores].
[The planners|Your planners] [touch|look at] {count} lines [a day|each morning], [it used to be|down from] [several
   hundred|ten times that].
[Overrides|The number of overrides] [fell|went] from {count} to {few} [per week|a week], and [those that remain|the
   rest] [do help|are good ones].
[{few_cap} stores|Only {few} stores] [stand out|are behind], [all|most] of them [with new managers|in one region].
[The connection|The nightly load] [failed|was late] {few} times, [always|each time] [fixed before|sorted out by] six
   in the morning.
[Logins|Usage] [dipped|went down] in {month} [during the holidays|when {team} moved], and [recovered|came back]
   [since|within {weeks} weeks].
[What surprised me|The surprise] is [{goods}|how well {goods} do], [where|since] we had [expected|planned] [nothing|
   far less].
[In money|Translated into money] that is [roughly|around] {amount2} [over the quarter|so far], [by|with] your own
   finance team's [formula|method].
[The suppliers|Two of the suppliers] [confirm|now answer] [a day|two days] earlier, [because|since] they [see|get] the
   [plan|forecast] [too|as well].
[Support|Your people] [opened|filed] {count} tickets, [{few} are open|all but {few} are closed], and the [oldest|
   longest] is {weeks} weeks old.

= {metric} improved at {account} | first
H: [Let us look at the numbers first|I brought the figures|Here is the quarter on one page]. <results 5-11>
B: That [matches|is in line with] what we see. Our director quoted it [last week|on {day}|in the all-hands].
H: May I quote it too?
B: [Ask marketing, but I would not mind.|I am fine with that, marketing decides.|If marketing agrees, yes.|Send it to
   marketing first.]

= The quarter was reviewed
B: [How are we doing compared with the others?|Where do we stand?|What is your view from the outside?]
S: [Quite well|Better than most in {industry_short}]. <results 3-8>
C: [The stores would put it differently.|And where are we below average?|Be honest, what is not working?]
S: [Suppliers|New articles|{city}]. [You plan those by hand more than others do|That is where most of the overrides
   are|The data arrives late there].

= Usage of {product} is growing
S: {count} planners logged in last month, {few} more than before.
C: The team in {city} started [without being asked|on its own].
S: [They also have the fewest overrides.|And they override the least.|That team hardly overrides anything.|They trust
   it most, too.]

= An open support ticket is annoying {team}
B: There is a ticket open for {weeks} weeks. It is about the export to {system}.
H: [I saw it this morning.|I looked it up before the call.|I have it open here.|I know about it.] [The fix is in the
   next release.|It will be fixed with the next release.|Engineering has it for the next release.|The next release has
   it.]
B: You said that on {day}.
H: [I did, and I will call you when it is out.|You are right, and I call you myself when it is out.|I know, and this
   time I have a date.|True, I will not let it slip again.]

= Training for new planners is needed
C: We hired {few} people who never had an introduction.
S: There is a course of two hours, and I can do a live session.
C: [Live, please. They ask better questions.|Live, please. People ask more that way.]

= The renewal is due
H: [Your renewal|The renewal|The renewal of {seats} seats] [is due|comes up|has to be signed] [at the end of the
   quarter|in {month}|in {weeks} weeks], [as you know|and {team} asked for the form|so let us talk|before your {role}
   leaves].
B: I know. We [want to|would like to|will] stay, but [procurement|{team}|our {role}] [asks for|insists on|needs] a
   price cap [of {percent} percent|near {percent} percent|for {few} years|on all {seats} seats].
H: With {seats} seats or more that is possible.

= The renewal is at risk
B: [I have to bring something up|There is one thing that {team} wants on the table]. [Another vendor called our
   {role}|Our {role} asked whether we could leave early], [and now I have to justify you|so I need arguments].
H: [Thank you for the warning|Good that you say it]. What would you need [from us|to defend it]?
B: [One page with the savings|A plan for the open tickets|Numbers per region], [by {day}|before {month}].
H: [You will have it|I will write it myself|Consider it done].

= {account} considers {product} for another division
B: [Our sister company asked what we use.|Our sister company is curious.|We told our sister company about it.|The
   other division wants to see it.]
H: [Would you introduce me?|May I call them?|Could you connect us?|Whom should I speak with?]
B: Gladly. They have the same trouble with {pain}.

= The roadmap was presented
S: [Two things|A couple of things] on the roadmap concern you: supplier scores and a better import.
C: When?
S: [The import this quarter.|The import comes this quarter.|This quarter for the import.|The import is in testing.]
   [Supplier scores after that, no date yet.|For supplier scores I have no date.|Supplier scores come later.|I cannot
   name a day for supplier scores.]
C: [I prefer an honest no to a wrong date.|Better no date than a wrong one.|Fine, as long as you say so.|Thank you for
   not making one up.]

= A change in {system} is coming
C: [You should know|Heads up], {system} [gets a new version|moves to the cloud] in {month}.
S: [Thanks|Good to know early]. [Do the interfaces stay the same?|Is there a test system we can try?]
C: [Mostly|From {month} on|Two fields change their names]. [I will send the list|Let us plan {few} days for that].

= Store managers were asked for feedback
C: We [asked|surveyed] {count} store managers. [Two thirds|Most] [like|trust] it, [the rest|some] still [keep a list|
   order by feel].
S: What do the others [miss|say]?
C: [A way to say why|Faster answers when something is off|That it knows their local fair].

= Goals for the next quarter were set
H: [What should the next quarter be about?|What do you want from the next quarter?|Where should we put our energy
   next?|Which goal do we set ourselves?]
B: [Suppliers|Fewer exceptions|{goods_cap}], [I would say|definitely]. [I want {percent} points more|And I want {team}
   to run it without me|If we get {metric} to hold, I am happy].
H: Then let us [measure|track] [exactly that|just that], every {weeks} weeks.

= An outage in {month} was discussed
B: I have to mention the {day} in {month}. [We had no plan until noon|The stores ordered blind for a morning].
H: [I know, and it was our mistake|Yes, that should not have happened]. [The cause was a full disk|A certificate had
   expired], and [we now watch for it|there are two people on call since].
B: [Good|Fine]. [I just do not want it in December|{team_cap} has a long memory].

== next_steps | Wrap-up | Next Steps

= {host} sends the summary and {buyer} returns comments by {day}
H: [As a next step|As the next step|Next step on my side:|For my next step] I [send|write|mail] you [a summary|the
   notes|the recording and the notes|{few} slides] [today|tonight|by {day}|before {minutes} past five], [for you and
   {team}|so you can forward it|in plain words|with the {percent} percent].
B: And I come back with [comments|questions|the list of names] by {day2}.
H: [Great, then we keep the pace.|Perfect, that keeps us moving.|Good, so we lose no time.|Then we are on track.]

= {buyer} shares a data extract from {system}
S: For the trial we need an extract from {system}.
C: I will ask {team}. You should have it on {day}.
S: [A month|{few_cap} months] of data is enough to begin.

= A follow-up with finance is scheduled for {day}
H: [Shall we put|Should we plan|Can we fix|How about] a follow-up [in the calendar|while we are all here|of {minutes}
   minutes|in {weeks} weeks], [with your {role}|with {team} this time|about {metric} only|for the numbers]?
B: {day} after lunch works.
H: [I will send the invitation right away.|I will send the invitation now.|You will get it in a minute, I send the
   invitation.|Then I send the invitation to both of you.]

= {host} prepares the business case
H: [I draft|I start on|You get|Let me write] [the|a first|your] business case [with your figures|tonight|by {day}|for
   {sites} sites], [two pages|with {metric} up front|nothing fancy|for your {role}].
B: Use the {percent} percent we talked about. [It is on the careful side.|That is conservative.|I can defend that
   one.|Not more, please.]
H: [I will mark what is an assumption.|Assumptions will be in another colour.|Everything I guess gets a mark.|I will
   keep facts and guesses apart.]

= {account} checks the contract with legal
B: [Legal gets|I pass legal|My {role} gets|On {day} legal gets] the [contract|contract with your changes|whole
   contract] [today|after this call|in the morning|with my comments], [{count} pages|so expect questions|they sit in
   {city}|and a copy goes to {team}].
H: [How long do they usually take?|What is normal for them?|When do you expect them back?|Are they quick?]
B: {weeks_cap} weeks if no one pushes. I will push.

= A reference call is arranged
B: [The reference would help us most.|I would like to hear from a customer.|What we need now is a reference.|Let us do
   the reference call first.]
H: I will reach out to them and suggest two dates around {day}.
B: Thank you. [Keep it short, they are busy people.|Half an hour is plenty.|They have little time, so be brief.|And
   not more than thirty minutes.]

= The next steps were repeated
H: [Let me|I will|May I quickly] [repeat|sum up|go over|read back] the next steps [for {account}|until {month}|from
   today|on both sides|for {team}], [so nothing is lost|it is only {few}|tell me if I am wrong|and then we stop]. You
   [send|get me] [the extract|the {count} articles|the price file] by {day}, and I [prepare|set up] [the trial|a
   session with {team}|the comparison].
B: [Correct|Yes, that is it]. And [someone should|we also] [invite|tell] {team}.
H: [I will do that|Already on my list|Leave that to me].

= The next steps were repeated
B: So the next steps [are mine|are on our side|sit with us|are with {team}], [mostly|for once|until {month}]: [{few}
   names for the workshop|a yes from our {role}|the numbers for {city}], by {day}.
H: And [mine|on our side|from me] [a draft of the plan|the answers for {team}|{few} references], before {day2}.
   [Sounds good?|Does that work?]
B: [Perfect|It does|That works].

= The next steps were left to {buyer} | lost
H: What are the next steps [from your point of view|on your side|at {account}|as you see them], [after today|with the
   board in {month}|with {team} on board]?
B: [We will discuss it internally|I have to talk to a few people], [and then I come back to you|and it may take
   {weeks} weeks].
H: [Can we fix a date?|Should we hold a slot on {day}?]
B: [Let me come back to you on that|I would rather not promise one|Not yet].

= The next steps towards a signature were dated | won
H: If I [put|write down|list] the next steps [towards|until|up to] {month}: legal by {day}, [{team}|the reference|the
   workshop] [the week after|in {city}|right after], [and then the board|signature on the {few_th}|start with {few}
   stores].
B: [Looks right|I would not change anything]. [I talk to our {role} tonight|Legal already has it].
H: [I will send that as a plan|Then let us do it that way].

= A pilot was agreed | won
B: [Let us do the pilot|We want the pilot], [with {few} stores|with {goods} only], starting in {month}.
H: [Excellent|Great decision]. [The|Our|As a] next step [is|would be|then is] a kick-off with {team}, {minutes}
   minutes, [on {day}|this {day}|in {city}|before {month}].
B: [Send the invitation to all of us|I will make sure they are there].

= A workshop was scheduled
S: [I suggest|Why not do] a workshop of {few} hours with {team}, [on site in {city}|remote].
C: [Good idea|Yes, please]. [{day} would suit us|Not on a {day}, that is delivery day].
S: I [propose|send] two dates [by {day2}|this afternoon].

= Material was promised
H: What can I send you [in the meantime|until then] that [actually helps|gets read]?
B: [The case from {city}|One page for our {role}|The list of fields you need]. [Nothing glossy, please|In plain
   words].
H: [You will have it by {day}|Done].

= The follow-up was postponed | lost
H: Shall we [book|fix] the follow-up [now|while we are here]?
B: [Not now|Let us wait], [{month} is packed|we have stocktaking|I need to see the budget first].
H: [I will try again in {weeks} weeks|Then I will write to you in {month}].

= Owners were named
H: Who on your side [takes over|looks after] [the data|the questionnaire], and who [the users|the stores]?
B: [The data is with {team}|Our IT does the first], the [second|users] [I will do myself|we have to see]. [Names
   follow by {day}|I will send you both contacts].
"""
