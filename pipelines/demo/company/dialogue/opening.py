"""Text of openings: greetings, the agenda, introductions and a look back."""

TEXT = """
== opening | Introduction | Small Talk

= Introductions and weather | first
H: Hi {buyer}, [good to see you|thanks for joining|thanks for making the time today|good to have you on]. How are
   [things|you all|you and the team] in {city}?
B: [Busy, as always|Hectic, to be honest|Good, thanks|Surviving]. [It has rained here since {day}|Half the office is
   out with a cold|We had a delivery stuck outside {city} on {day}|The whole building smells of fresh paint|We moved
   {sites} stores onto a new schedule this week|I have been on calls since seven] [and I have hardly seen daylight|so
   bear with me|but that is {industry_short} for you|and of course everything happens at once].
H: Then I will [keep us on time|make sure we finish early|not waste a minute of it].

= The agenda was agreed
H: I [put down|blocked|planned] {minutes} minutes for [this|today|our call]. [Does that still work for everyone?|Is
   that still okay?|Are you good until then?]
B: [Yes, but I have a hard stop after that|That works, I just have to leave on the dot|Yes, my next one starts right
   after|It does, though I may be called out for a minute].
H: [Perfect|Understood|No problem]. I would [like to|love to] [hear|understand] where {account} [stands|is today]
   first, [and leave time for your questions|and then show you what could help|and agree at the end on what happens
   next]. [Anything you would add?|Did I miss anything you care about?|What would make this a good use of your time?]
B: [Only that|Just one thing,|Yes,] {team} [asked me|wants me] to come back with [a rough timeline|an opinion on the
   effort|something concrete they can react to|a realistic number].
H: [We will get there|That should be possible|I will make sure we cover it].

= {buyer} recapped the previous conversation
B: [Last time|When we spoke before|On our last call] we [talked|spoke] about {pain}. I [shared|went through|discussed]
   that with {team} [afterwards|the same week|on {day}].
H: And what did they [say|make of it|think]?
B: They [asked why we had not looked at it a year ago|were more open to it than I expected|had {count} questions and
   one good one|want to see it with our own numbers|said they would rather fix it this year than next]. [The main
   worry|Their main point|What they keep coming back to] is [the effort in the first weeks|{metric}|whether it copes
   with {goods}|who looks after it once you are gone].
H: That is [useful|good to know|exactly what I hoped to hear], [let me come back to it|I will address that today|we
   can use that].

= The recording was announced
H: [Before we begin|One formality first|Just so you know], this call is being recorded [so that I can listen instead
   of typing|for my notes|and you get the link afterwards|so I do not have to scribble]. [Is that okay?|Any
   objections?|All right with you?]
B: [Fine with me|No problem at all|Sure, go ahead|That is fine, we do the same].
C: [Same here|Fine|Yes, sure|Okay with me].

= The recording was announced
H: [I have the recorder on|The recording is running|You will have seen the recording notice], [so that nothing gets
   lost|so that {product} questions end up in my notes|mostly so I can check what I promised].
B: [That is fine|Sure|No issue].

= {host} introduced the team
H: [With me today is|I brought along|I also invited] a colleague who knows {system_word} [much better than I do|inside
   out|from {weeks} years of projects].
S: [Happy to be here|Hi everyone|Good to meet you all]. I [have spent|spent] the last {weeks} weeks with a [customer|
   retailer|client] [in a similar spot|of about your size|with almost the same setup]. [They had {sites2} sites and a
   planning team of {few}|They also came from spreadsheets|They started with one region and went on from there].
B: [That is good to hear|Great|Good], we [brought|have] a few awkward questions.
S: [The awkward ones are the interesting ones|Those are my favourite|Please ask them early].

= A colleague from {team} joined
B: I have [brought|asked] a colleague from {team} [along|to join] today.
C: Hi, [I am the one who has to live with the result|I run the daily numbers, so I am curious|I look after {goods} for
   about {sites} stores|I was told there would be a live screen].
H: [Welcome|Great to meet you|Good that you are here]. Please [stop me|interrupt] whenever something [does not fit|
   sounds wrong|is unclear].
C: [I will|Be careful what you wish for|Happy to].

= A missing colleague was excused
B: Our head of {team} [wanted to join|meant to be here] but [was pulled into a supplier meeting|is stuck at the {city}
   site|is on a train without reception|had to take another call].
H: [No problem|That happens], I will send [the notes|a short summary|the recording]. Anything they wanted [us to
   cover|me to answer]?
B: Mostly {pain}. [And whether|Also whether] [we can start small|it works for {goods}|the old reports survive].

= Technical trouble at the start | first
B: [Can you hear me now?|Is my sound any better?|Sorry, was I on mute?]
H: [Loud and clear|Yes, much better|Now I can]. [I was about to start without you|No harm done|We had only got as far
   as the weather].
B: Our [meeting room|headset|network] [has a will of its own|gives up every {day}|never works the first time].

= Holidays and small talk | first
H: [How was the long weekend?|Did you get away at all?|Back from {city} already?]
B: [Short|Too short|Lovely]. We [drove out to the coast|painted the kitchen|watched the kids play football in the
   rain|finally saw the family]. [And then {count} unread messages were waiting|And on {day} the first thing I saw was
   an empty shelf|I had almost forgotten my password].
H: [I know the feeling|That sounds familiar|At least there is coffee].

= {buyer} has news from {account}
B: [Before we start, a bit of news|Something changed since we last spoke|You should know one thing up front]. [We have
   a new operations director since {day}|The board moved our review to {month}|We are taking over {few} stores from a
   smaller chain|We close {few} small stores around {city}|{team_cap} moves into our building in {month}].
H: [Thank you for telling me|Oh, interesting|Congratulations, or my condolences]. What does that [mean|change] for
   this project?
B: [If anything it gets more urgent|Honestly, it helps, because now someone asks for {metric}|It means I need a short
   version for the newcomer|Probably nothing, but the timeline matters more now].

= Expectations for the call
H: [What would you like to walk away with?|What does a good outcome look like for you today?|If we only manage one
   thing today, what should it be?]
B: [I want to understand|I would like to know|I need to see] [how it behaves with {goods}|what our part of the work
   would be|whether it solves {pain} or just hides it|how long until {team} notices a difference].
H: [Good, then I will skip the company slides|Then let us do that first|That I can do, and without slides].

= {host} thanked {buyer} for the preparation | first
H: [Thank you for the file you sent on {day}|I read the notes you sent|Your spreadsheet was very helpful], [it saved
   us half an hour|I learned a lot from it|it explains why {pain} hurts so much].
B: [Good, it took {team} long enough|I was not sure whether you could read it|Ignore the second sheet, it is wrong].
"""
