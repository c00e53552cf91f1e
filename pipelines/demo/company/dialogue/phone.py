"""Text of phone calls: cold calls with their outcomes, short calls about a running deal, and voicemails."""

TEXT = """
== dial_open | Opening | Small Talk

= {host} introduced {us}
H: Hi {buyer}, this is {host} [from|with] {us}. [Did I catch you at a bad moment?|Do you have a minute?|Is now a bad
   time?]
B: [I have two minutes|Go ahead, but quickly|I am between two meetings|It depends what it is about].

= {host} introduced {us}
H: [Hello {buyer}|Good morning {buyer}|{buyer}, hi], {host} [here|speaking], {us}. [We met|We talked] at the trade
   fair in {city}.
B: [Right|Oh yes|Did we?|Vaguely]. [It was a long day|I spoke to so many people there].

= {host} called on a recommendation
H: Hi {buyer}, {host} from {us}. [A colleague of yours in {team}|Someone in {team}] [gave me your name|said you are
   the one to ask].
B: [Did they now|I will thank them later|All right]. [What is it about?|What can I do for you?]

== dial_talk | Conversation | Business Overview

@ pitch
[We help|We work with] [retailers|companies] [like yours|in {industry_short}] [that struggle with|against] {pain}.
[Most of them|Many] [plan|planned] {goods} in spreadsheets [until|before] [it broke|they opened one store too many].
[One in {city}|A chain near {city}] [gained|won] {percent} points of {metric} [in {few} months|within a season].
[It sits|{product} sits] on top of {system}, so [nothing is replaced|you replace nothing].
[What I would like|All I ask for] is {minutes} minutes [to see|to find out] [whether|if] that [is worth it|makes
   sense] for you.

= Planning at {account} was touched on
H: I saw that {account} opens new locations. [How do you plan stock for those?|Who plans the stock for them?|How is
   the first order made?|What do you base the first order on?]
B: [By hand, and it shows|We guess|With the numbers of the nearest store].
H: [What does that cost you?|And when the guess is wrong?]
B: [More than I like|Around {percent} percent, if I had to say|Weekends, mostly mine].

= Reason of the call
H: [Here is why I call|Let me get to the point|The reason is simple]. <pitch 2-4>
B: [We do have that problem|Is that so|How is that different from what everyone says?|Hm, {goods} are tricky, yes].
H: [Every figure comes with a reason|You would see it on your own data|That is what I would show you].

= The current tool was named
H: [What do you use today?|How do you do it at the moment?]
B: [A spreadsheet and experience|Whatever {system} gives us|Something built in house, years ago].
H: [Happy with it?|What do you like about it?|If you could change one thing?]
B: [It does the job until {month}|That it was free|The person who built it is still here].

= {account} just renewed with {competitor}
H: [Is planning something you look after?|Are you the one who plans?|Does planning belong to you?|Do I have the right
   person for planning?]
B: It is, [but|only] we [just renewed|work|signed in {month}|are happy] with {competitor}[, {seats} seats| for {few}
   years|, sorry| in {city}].
H: [For how long, if I may ask?|Until when?|How long does that run?|And are you happy there?]
B: [Two years, so be patient|Until {month}|A while].

= The right contact is in {team}
H: [Am I right with you for planning questions?|Are you the right person for planning?|Who looks after planning at
   {account}?|Is planning your area?]
B: [Half right|Not quite], you want [someone|a colleague] in {team}. [I can give you a name.|Let me find you the
   name.|I will give you the name.|Write this down.]
H: That would be kind.

== dial_booked | Meeting agreed | Next Steps

= {buyer} agreed to a meeting
B: [All right|Okay, you got me|Let us do that]. [Call me on {day}|Send an invitation for {day}], [{minutes} minutes|
   not before ten|and keep it short].
H: [Done, I send the invitation now|I will, thank you|{day} it is]. [Should I invite {team}, too?|Anyone else I should
   add?]
B: [Yes, good idea|Just me for now|I will forward it].

= {buyer} asked for information and a date
B: [Send me something to read|Can you send me an example?], [with figures|one page|nothing with stock photos]. [Then
   let us talk on {day}|And give me until {day}].
H: [Gladly|Of course]. [I reach out on {day2} if I hear nothing|You will have it within the hour].

== dial_later | Callback agreed | -

= {buyer} asked for a later call
B: [It is not the right time|This is not the right time, we are in stocktaking|Bad timing]. [Try me|Call again] in
   {month}.
H: [Will do|I will]. [What will be different then?|Is there someone else I could speak with until then?]
B: [Stocktaking will be over|We will have a new {role}|Not really, it stays with me].

= {buyer} asked for information by mail
B: [Just send me an e-mail|Put it in writing], [I will look at it|I read it on the train], [no promises|maybe].
H: [Of course|Sure]. What would be useful, [an example from {industry_short}|numbers on {metric}]?
B: [Yes, with figures|Anything but a brochure|The first one].

== dial_refused | No interest | Objections

= Not interested at the moment
B: [We are not interested|I am not interested|Thanks, but we are not interested] [at the moment|in anything new|right
   now].
H: [Understood|Fair enough]. [May I ask again after the season?|Is it the topic or the timing?]
B: [You can try|The topic, frankly|We froze all projects until {month}].

= No budget this year
B: [I stop you there|Let me save you time|Before you go on], [we have no budget|there is no budget|I have no budget]
   [before {month}|for tools|left in {team}|until the {role} signs], [sorry|not even {amount2}|that is final|and no
   one has].
H: [I appreciate that|Thanks for being clear]. [Then I leave you to it|Have a good {day}].

== checkin_open | Opening | Small Talk

= {host} called back
H: Hi {buyer}, {host} here. [You asked me to call|You had a question about the offer|I got your message from {day}].
B: [Yes, thanks|Ah, good|Thanks for being quick]. [It is a small thing|I have you on speaker|Let me close the door].

= {host} called about the offer
H: [Hi|Hello] {buyer}, it is {host}. [Sorry to call without warning|I promised to call after {day}|Just {few} quick
   points].
B: [Good timing|No problem at all|I was about to write to you]. [I have a question, too.|Something came up here.|Where
   should we start?]

== checkin_talk | Conversation | -

= A question about the offer
B: [Our {role} asks|Finance wants to know] whether the {seats} seats [can be split|include {city}], [and|also] whether
   the [price|price of {price} a seat] [holds until {month}|changes with {few} more].
H: [It holds|Yes to both|They can], [I will put it in writing|it is on page {few}]. [Does that settle it?|Anything
   else from them?]
B: [For now|They always find something|I think so].

= The trial was mentioned
H: How is the trial going [over there|from your side]?
B: [Better than I thought|Mixed]. [{goods_cap} look good|{city} looks odd], and {team} found {few} [articles|numbers]
   they [do not believe|want to talk about].
H: Send me [the list|those], and [we look at it|I have an answer] by {day}.

= The board meeting was moved
B: The board [moved|pushed] our slot to {month}. [Nothing dramatic|It affects everyone].
H: [Does that change the start?|What does it do to your timeline?]
B: [By {weeks} weeks, I fear|Not if legal starts now]. [So please keep the offer open|I wanted you to hear it from
   me].

= {competitor} made contact
B: [Between us|I should mention], {competitor} called [me|our {role}] [on {day}|again].
H: [What did they offer?|And what did they say?|What was in it for you?]
B: [A month for free|{discount} percent less than anyone|A visit from their founder]. [I said we are mid-trial|I have
   not called back].

= A document was missing
B: [Legal cannot find|I am missing] the [annex|audit report|signed copy] you sent.
H: [I resend it right away|It was in the mail from {day}, but I will send it again].
B: [Please copy {team}|To me directly, please].

== checkin_close | Closing | Next Steps

= The follow-up was confirmed
H: [Then we speak on {day}|So, {day} as planned]? [I send the invitation for {minutes} minutes|You have it in your
   calendar].
B: [Yes|Works for me], [until then|talk to you then].

= {host} will answer in writing
H: I [write it up|send you a mail] [today|by {day}], [so that you can forward it|with all three points].
B: [Perfect|That is all I need], thanks, {host}.

== voicemail | Voicemail | -

@ message
[Sorry that I missed you|I just missed you, it seems|You are a hard person to reach].
[I am calling about|It is about] {pain} [at {account}|in {industry_short}], [nothing urgent|and it takes {minutes}
   minutes].
[I will try again|I call again] on {day}, [around lunch|in the morning].
[You can reach me|Or call me] [on this number|any time before {day2}].
[I also sent|There is also] an e-mail [with one page|with the details] [from|dated] {day}.

= {host} left a message
H: Hi {buyer}, this is {host} [from|with] {us}. <message 2-5> [Thanks, bye|Have a good day|Talk soon].
"""
