"""Text of product calls: the walkthrough of the product, and its architecture and integration."""

TEXT = """
== demo | Product walkthrough | Product Demo

@ tour
[On the left|In the left column] you [have|see] [the locations|your {sites} locations|the regions], and [on the right|
   next to it] [the weeks ahead|the next {weeks} weeks].
[The number in the middle|The large figure] is what {product} [expects to sell|would order], [not what you have in
   stock|already corrected for stock in transit].
[If I hover over it|When I hover over this one|If I point at it], you see [the range|how certain it is], [here|say]
   plus or minus {percent} percent.
[Everything in grey|All that is grey] [was approved automatically|needs no one], [because|since] it [stayed within|is
   inside] the limits [that you set|you chose].
[The orange ones are|What is orange is|Orange marks] [today's work|the short list|what needs a person], and [this
   morning there were|at the moment there are] {count} of them.
[A planner|Someone in {team}] [starts at the top|works from the top down], because [they are sorted by|the list is
   sorted by] what [they could cost|is at stake].
[I can|You can] [filter|narrow this down] by supplier, by category or by [whoever is responsible|planner], [and save
   the view|and the filter stays].
[With one click|If I click here] I [accept|approve] [the proposal|the whole line], and [it goes back to|the order is
   written to] {system} [within minutes|on the next run].
[If I disagree|When you know better], I [type|enter] my own number and [pick|choose] a reason, [say|for example] a
   [local event|school fair|road closure].
[Later|A month later] {product} [shows you|tells you] whether [that|your change] was [better or worse|an improvement],
   [which|and that] is [where people learn|the part planners come back for].
[For {goods}|With {goods}] it [also looks at|includes] [the weather|school holidays|pay days] [around {city}|in each
   town], [because|since] that [moves|explains] about {percent} percent [of demand|of the swings].
[New articles|Items without history] [borrow|take] their curve from [similar ones|three close relatives], and you [can
   change|decide] which.
[Down here|At the bottom] is the money view, [the same plan|same numbers] in [cash|margin] instead of [boxes|pieces].
[I changed nothing|Nothing here is staged], this is [the file you sent|data from {count} of your articles], loaded on
   {day}.
[Suppliers have a page of their own|There is a page per supplier], with [the promised|their contractual] and the real
   lead time [side by side|next to each other].
[This line|The dotted line] is [what really happened|the actual sales], so you can [see for yourself|judge] [how far
   off|how close] [it was|we were] in {month}.

= {host} showed the planning board of {product} | first
H: [Let me share my screen.|One second, I will share my screen.|I am sharing now.|Here is my screen.|Let me show you.|
   Give me a moment to share.] Can you see [the board|my screen|a table with colours]?
B: [Yes, we see it|Yes, a bit small|Now I do, yes].
H: [Good|Great]. Each row is a product family, and the colour tells you how sure {product} is about next week. <tour
   6-14>
B: So orange means [someone|a person] should look?
H: [Exactly, and everything else you can leave alone.|Right, the rest takes care of itself.|That is the idea, and the
   rest you may ignore.|Yes, and you never open the others.|Exactly, only those.|Yes, and nothing beyond that.]

= A day in the life of a planner was shown | first
S: Let me [play|be] a planner on a {day} morning. <tour 7-15>
C: [How long would that take?|How long would such a morning take?|And how long does all that take?|What does that come
   to in minutes?|Is that an hour, or a day?]
S: [Most people need|Our users need] {minutes} minutes, [down from half a day|instead of the whole morning|coffee
   included].
B: [I would like to see {team} do that|That would give me back {few} people|I do not believe it yet, but I like it].

= Exceptions replace the weekly review
S: Instead of reading [several hundred|hundreds of|a thousand] lines, a planner gets the [twelve|dozen or so] that
   matter.
C: [Who decides what matters?|And who sets that limit?|How does it know which ones?|Where does that selection come
   from?|Can we influence what ends up there?]
S: [You set the threshold.|That is your choice.|There is a threshold for that.|You do, with a slider.|That is a
   setting.] Most start at {percent} percent deviation [and tighten it later|and end up lower]. [It can differ by
   category|For {goods} you would pick a tighter one|You can also set it in money].

= {product} explains each forecast
B: Why does it [think|expect] demand goes up in {city}?
S: [Click on the figure.|If you click on it, you see why.|Here, I open the details.|There is a button for that.|One
   click, and it tells you.] [It lists the promotion, the school holidays and the trend.|There is a promotion, school
   holidays, and a small trend.|A promotion, the weather, and a bit of trend.|It is the campaign, the pay day, and the
   trend since spring.|You see each reason with its share.] [The largest part here is|In this case it is mostly] the
   {day} effect, with {count} pieces.
B: [So I can show that to a store manager|That is what the others lacked|Then I can argue with it, good].

= {product} was compared with {competitor}
B: [Nice|I like that|Good to see], {competitor} [could not show us|did not have|skipped|never opened] [that|this part|
   the reasons|{goods} at all]. [They said it was a matter of trust|They asked us to wait for the next version|We got
   a nice picture and no reason].
S: [I would ask them again|Maybe they can by now], but [here it is part of the core|for us it is where we began].

= Scenario comparison was demonstrated
H: Here I copy the plan and delay one supplier by {weeks} weeks. [You see at once|Look at] what happens to {metric}.
   [It drops by {percent} points in {city}|{few_cap} stores run dry by {day}|Most of it can be covered from the
   depot].
C: [Can two people work on that at the same time?|What if two of us do that at once?|Could my colleague try another
   version?|Do we block each other?|Is that private until I share it?]
H: They can, and you decide which one [gets published|wins].

= Overrides are recorded
C: [My planners will want to overrule the machine.|What if a planner knows better?|Can people overrule it?|My team
   will not accept numbers they cannot change.|I know who will change every second figure.]
S: [They may.|They can.|That is fine.|And they should.|Nothing stops them.] [Every override keeps a name and a reason,
   and later you see whether it helped.|We keep the name and the reason, and check later who was right.|Each change is
   recorded, and after some weeks you see the effect.|It asks for a reason, and it compares afterwards.]
C: That will be an interesting conversation with {team}.
S: [It usually is|At a customer near {city}, {percent} percent of them helped|Most teams override half as much after
   {weeks} weeks].

= Reports can be scheduled
B: Our management wants a page on {day} morning, nothing else.
H: You pick the view and it is sent as a document. [No login needed.|They need no account.|It arrives as a mail.|They
   never have to log in.]
B: [Good, because they would never log in.|Perfect, passwords are not their thing.|That is the only way they read it.|
   Ideal, they live in their inbox.]

= The mobile view was requested
C: [Does it run on a phone?|Does that work on a phone?|Is there an app for this?|Could one approve that from a phone?|
   And without a computer?] [Our store managers have no desk.|Store managers walk around all day.|My people are on
   their feet.|In the stores there is one computer for everybody.]
H: [The approval screen does.|Approvals, yes.|For approvals, yes.|There is a small version for approvals.] [The full
   board needs something bigger.|The board itself wants a real screen.|For planning you want a keyboard.|Not the whole
   thing, though.]
C: [Approvals are all they need.|That is all they need.|More would only confuse them.|Good enough for the stores.|Then
   that is settled.] [And a photo of the shelf would be nice|And they would use it, for once].

= {product} learns from past promotions
S: We load {count} months of history and mark the promotions.
B: [Ours are marked badly.|Our records of those are poor.|Half of ours were never entered.|Ours are a mess, I warn
   you.|We only started to record them last year.]
S: [They all are.|That is normal.|Everyone says that.|We expect no less.] [We find most of them from the sales curve
   itself.|The sales curve gives most of them away.|Most show up in the data on their own.|We detect the bulk of
   them.] [For the rest there is a list to confirm|You would confirm about {count} by hand].

= Fresh goods were tried live
B: [Can you show me {goods}?|Could we look at {goods}?|How would that look for {goods}?] That is where [we bleed|it
   hurts|everyone else failed].
H: [Of course|Happy to]. <tour 3-8> [Does that look plausible to you?|Would you order that?|How does that compare with
   your own number?]
B: [It is within {percent} percent of ours|The shape is right|I would have gone a little lower]. [But it saw {month}
   coming, which we did not|And it took you a minute, not a day].

= {buyer} asked about large orders
B: What if one customer [orders|takes] a whole [pallet|truck] and wrecks the history?
S: {product} [spots|flags] that as a one-off. [You confirm it once|It asks you, once], and the curve [ignores it|stays
   clean].
B: [Our current sheet needs a year to forget|That alone caused {few} wrong orders in {month}].

= The walkthrough was too generic | lost
C: [This is nice|It looks good], but it is all made-up data, right?
H: [It is our reference set|For today it is], yes. We could load yours by {day}.
C: [The others had ours loaded already|I would have preferred ours|Then we will see it when we see it].

= {team} wants to try it at once | won
C: [When can we get our hands on it?|Could {team} have a login for a few days?]
H: [We can open a sandbox by {day}|You get {few} logins this week]. [With your own numbers|Loaded with the file you
   sent].
C: [Then I know what I do this weekend|They will fight over them].

== technical | Architecture and integration | Integrations

@ architecture
[Once an hour|Every {minutes} minutes] a small agent [reads|picks up] [the changes|whatever changed] from {system},
   [read only|with a user that can only read].
[It pushes|The agent sends] them [encrypted|over an encrypted channel], so [you open no port|there is nothing to open
   in your firewall].
[On our side|Once it arrives], the data [lands|goes] in [a store of its own|a separate database], [one|exactly one]
   per customer.
[Every load|Each load] is checked [for gaps|against yesterday], and [if more than|when over] {percent} percent looks
   [odd|wrong] we [stop|hold it] and [ask|call you].
[The forecast runs|We calculate] [at two in the morning|after your day closes], and [takes|needs] about {minutes}
   minutes for {count} thousand articles.
[Results|The proposals] wait in [a queue|an outbox] until [someone approves|they are approved], [and nothing is
   written before|nothing moves before that].
[Writing back|The way back] [uses|goes through] the [same|standard] interface, with [a second|its own] [permission|
   user].
[If the line is down|When the connection drops], the agent [buffers|keeps] up to {weeks} weeks and [catches up|
   continues where it was].
[Every change|Each action] [ends up in a log|is logged] [with user and time|with the name], and you [can export|get]
   [it|that log] [as a file|whenever you like].
[Roles|The roles] [come from|follow] your directory, so [a leaver|someone who leaves] [loses access|is out] [within|
   after] {minutes} minutes.
[Backups are taken|We back up] every {few} hours and [restored|tested] [in a drill|for real] each {month}.
[The test environment|The sandbox] is a copy with [last week's|older] data, [refreshed|renewed] every {day}.
[We release|There is a release] every {few} weeks, [always|usually] on a {day}, and [you can delay|large customers can
   postpone] it.
[All of this|Most of it] is in the [document|paper] [we sent on|you got on] {day}, [chapter|section] {few}.

= The architecture was drawn | first
C: [Can you draw the whole path for us?|How does the data flow, end to end?|Could you walk us through it from our
   side?]
S: [Sure|Gladly]. <architecture 6-14>
C: [And who watches it at night?|What happens on a public holiday?|And if {system} is upgraded?]
S: [We do, and you get a message|There is always someone on call|We test against the new version {weeks} weeks ahead].
   [In {month} it rang {few} times|You would hear from us before {team} notices].

= Integration with {system} was explained
C: How do you connect to {system}?
S: [Through its standard interface, read only, once an hour.|We read from its standard interface, once an hour.|Read
   only, over the standard interface.|With a small agent that reads every hour.|By reading the changes, never the
   whole tables.] <architecture 0-5>
C: [And writing the orders back?|And the way back?|How do the orders return?|Do you write to it as well?|What about
   writing?]
S: [That is a second permission, and you switch it on when you trust the plan.|Writing is separate, and off until you
   want it.|That comes later, with its own user.|You turn that on when you are ready.] [Most wait {weeks} weeks|Some
   never do, and export a file instead].

= Single sign-on is required
C: [Single sign-on is a must.|We only buy with single sign-on.|Without single sign-on this ends here.|Our policy asks
   for single sign-on.|Does it support single sign-on?] [We do not hand out passwords any more.|No more passwords,
   that is the rule.|I do not want another list of passwords.|Local accounts are not allowed.]
S: [It is included, and roles come from your directory groups.|Yes, and groups become roles.|It is part of every
   package, roles included.|That is standard, with your groups.]
C: [Including the removal of leavers?|And when people leave?|What about leavers?|How fast is an account closed?]
S: Within {minutes} minutes.

= The security review was started
C: [Our|The|IT's] security review [has|comes with|starts with] {count} [questions|rows|points], [in {few} languages|
   half of them about {system}|the old format|and they read every answer]. Who fills it in?
S: Send it to me. [We keep answers to the usual ones ready, with the audit report.|Most answers exist, the audit
   report is attached.|We have done that often, and there is an audit report.|You get the audit report with it.]
C: [Where is the data stored?|In which country is the data?|Where would our data be?|And the location of the data?]
S: [In the region you choose, encrypted, with a key per customer.|You choose the region, and all of it is encrypted.|
   Encrypted, in the region of your choice.|In your region, encrypted, and with your own key.] [The key can be yours|
   You can revoke it at any time].

= Findings of the security review were discussed
C: [The|Our|Your] security review [came back|is through|ended|arrived on {day}] with {few} [findings|remarks|open
   points], [{few2} of them small|one of them red|mostly about {system}|which is normal here].
S: [Which is the worst?|Anything serious?]
C: [Logs are kept for {count} days, we ask for a year|They did not like the shared admin account|The encrypted backups
   sit in the same region].
S: [We can change that for {count} users or more|That was fixed in {month}, I will send proof|Fair, our own auditors
   look at it by {day}].

= The data model was discussed
S: [We need articles, locations, stock and sales.|Four files: articles, locations, stock and sales.|Articles, sites,
   stock, sales, that is the minimum.|Four tables are enough to start.] [Everything else is a bonus.|The rest is nice
   to have.|More is better, but not required.|Anything more helps later.]
C: [Our articles change their number when the supplier changes.|We renumber articles when a supplier changes.|An
   article gets a new number with each supplier.|Numbers change here, that is a problem.]
S: [Then we keep a chain, so that history follows the article.|We link the old number to the new one.|There is a
   successor table for that.|The history moves along.]
C: [That alone would be worth the money.|We have fought with that for years.|Nobody has solved that for us so far.|
   Then you have already saved me a week.]

= Load times were questioned
C: We have {count} thousand articles. [Does the nightly run finish?|Is that too much for one night?|How long does that
   take at night?|Will it be done by morning?]
S: For a customer of your size it takes {minutes} minutes.
C: [Ours starts at four in the morning and must be done by six.|We have a window of two hours, from four to six.|At
   six the trucks are loaded.|It must be through before six.] [Last {month} we missed that {few} times|If it slips,
   the trucks leave empty].
S: [Then we schedule it at two|There is room|We can split it by region].

= The API limits were clarified
C: [Is there an API limit we have to respect?|Are there limits on the interface?|How many requests may we send?|Will
   we run into a limit?]
S: [There is, but bulk exports do not count.|Yes, except for bulk exports.|For single requests, yes.|There is one,
   though few people reach it.] [We can raise it during the migration.|During the migration we lift it.|I can have it
   raised for a month.|It goes up if you ask.]
C: [Please write that down|Put that in writing], {competitor} [surprised us there|charged us for that|changed it in
   {month}|had {few} limits like that].

= A test environment comes with the contract
B: [Do we get somewhere to break things?|Is there a sandbox?|Where can we test?|Do you offer a second environment?]
S: A test environment with last week's data, refreshed every {day}.
C: Good. [Our release process needs that.|We are not allowed to go live without one.|That is a must for us.|Then
   change management is happy.]

= Backups and exit were covered
C: [What happens to our data if we leave?|And if we cancel one day?|How do we get out again?|Suppose we leave, who
   keeps the data?]
S: You download everything as plain files for {weeks} weeks, then we delete it and confirm.
C: That is shorter than our legal team would like.
S: [We can extend that to {count} days.|That can be longer.|We can write a longer period.|For larger customers we do
   more.]

= Data quality of {system} was examined
S: [I looked at the extract.|I went through your extract.|The extract has arrived, and I had a look.|We loaded your
   sample.] [About {percent} percent of the stock figures are negative|{count_cap} articles have no supplier|{few_cap}
   stores report sales on days they were closed].
C: [That is the {city} depot|I am not surprised|Those are returns booked on the wrong day].
S: [We can filter it|It is not a blocker], but [someone should fix it at the source|I would like {team} to look at the
   list].
C: [I will pass it on|They know, they just never had a reason to].

= History and its gaps
C: We only have {count} months of clean history. Is that enough?
S: [For most articles, yes|It is enough to begin|Two seasons would be better, but yes]. [The rest learns from
   neighbours|We mark what is thin, so you know where to be careful].
C: The time before {month} is [in the old mainframe|on a tape, more or less].

= Latency and outages
C: [How often were you down last year?|What was your availability last year?|When was the last outage?|How stable is
   it?]
S: {few_cap} times, {minutes} minutes in total. [The longest was on a {day} in {month}|All of it at night|I can send
   you the log].
C: [And do we get a credit?|Is there a penalty?|And who pays for that?|Do you compensate for it?]
S: [Below the agreed level, yes.|Yes, below the agreed level.|There is a credit, yes.|If we miss the target, yes.] [It
   is in the annex|That part is standard].

= Who maintains the connection
C: [Who looks after the connector when our people change something?|Who repairs it when a field gets a new name?|What
   if {team} renames a field in {month}?|And when we rename a field?]
S: You get a warning [the same night|before anything is loaded]. [We fix the mapping together|Small ones you can fix
   yourself, there is a screen for it].
C: [Our last vendor needed {weeks} weeks for that|Good, because we rename things all the time].

= Personal data was ruled out
C: [Do you need any personal data?|Is any personal data involved?|Does it touch personal data?|Will there be names in
   it?] [Names of customers, loyalty cards?|Loyalty cards, for example?|Anything about customers?|I mean cards and
   addresses.]
S: [No|None of it]. [Only articles, places and quantities|The users of {product} themselves, nothing else].
C: That makes the annex [short|a page shorter], and our privacy officer [happy|quiet].

= Special handling of {goods}
B: {goods_cap} come with [shelf lives|sizes and colours|serial numbers]. [Can the model handle that?|Does it know such
   things?|Can you plan that?|Is that covered?]
S: [It can|Yes]. [Each batch has its own clock|Sizes share a curve and split at the end|We plan the family and then
   divide it]. [You would see it in the trial|I can show you one from {city}].
"""
