"""Dialogue of the generated company by phase of a call, with slots to fill in."""

import re
from typing import NamedTuple


class Line(NamedTuple):
    """Sentences of one speaker, by role: H host, S second colleague, B buyer, C second customer."""

    role: str
    sentences: tuple[str, ...]


class Exchange(NamedTuple):
    """A few turns about one subject, and the gist that an outline gives of them."""

    gist: str
    lines: tuple[Line, ...]


class Phase(NamedTuple):
    """A phase of a call: its name, the topic that Gong detects or None, and its possible exchanges."""

    name: str
    topic: str | None
    exchanges: tuple[Exchange, ...]


class CallType(NamedTuple):
    """A kind of call: title patterns, weighted phases in order, lowest and highest number of sentences, and a brief."""

    titles: tuple[str, ...]
    phases: tuple[tuple[str, int], ...]
    sentences: tuple[int, int]
    brief: str


def exchange(gist: str, *turns: str) -> Exchange:
    """Return an exchange from turns written as `H: First sentence. Second one?`."""
    lines = []
    for turn in turns:
        role, _, text = turn.partition(": ")
        lines.append(Line(role, tuple(re.split(r"(?<=[.?!])\s+", text))))
    return Exchange(gist, tuple(lines))


PHASES: dict[str, Phase] = {
    "opening": Phase(
        "Introduction",
        "Small Talk",
        (
            exchange(
                "Introductions and weather",
                "H: Hi {buyer}, good to see you. How are things in {city}?",
                "B: Busy, and it has rained all week. We had a delivery stuck outside {city} since {day}.",
                "H: Then I will keep us on time.",
            ),
            exchange(
                "The agenda was agreed",
                "H: I put down {minutes} minutes for this. Does that still work for everybody?",
                "B: Yes, I have a hard stop after that.",
                "H: Perfect. I would like to hear where {account} stands, and leave time for your questions.",
            ),
            exchange(
                "{buyer} recapped the previous conversation",
                "B: Last time we talked about {pain}. I shared that with {team} afterwards.",
                "H: And what did they say?",
                "B: They asked why we had not looked at it a year ago.",
            ),
            exchange(
                "The recording was announced",
                "H: Before we begin, this call is being recorded so that I can listen instead of typing.",
                "B: Fine with me.",
                "C: Same here.",
            ),
            exchange(
                "{host} introduced the team",
                "H: With me today is a colleague who knows {system} much better than I do.",
                "S: Happy to be here. I have spent the last {weeks} weeks with a customer in a similar spot.",
                "B: That is good to hear, we brought a few awkward questions.",
            ),
            exchange(
                "A missing colleague was excused",
                "B: Our head of {team} wanted to join but was pulled into a supplier meeting.",
                "H: No problem, I will send the notes. Anything they wanted us to cover?",
                "B: Mostly {pain}.",
            ),
        ),
    ),
    "situation": Phase(
        "Current state",
        "Business Overview",
        (
            exchange(
                "{buyer} described how planning works today",
                "H: Walk me through a normal week. Where does the plan come from?",
                "B: On {day} the planners export from {system}. Then {number} people edit the same spreadsheet.",
                "B: By {day} nobody knows which version is right.",
                "H: I hear that a lot.",
            ),
            exchange(
                "{account} struggles with {pain}",
                "H: What made you take this call?",
                "B: Honestly, {pain}. It cost us about {percent} percent of margin last quarter.",
                "H: How did you arrive at that figure?",
                "B: Finance compared write-offs for {number} sites.",
            ),
            exchange(
                "{system} remains the system of record",
                "S: Which systems hold the data we would need?",
                "C: Orders live in {system}. Stock comes from a warehouse tool that {team} bought in a hurry.",
                "S: Do those two agree with each other?",
                "C: Within {percent} percent on a good day.",
            ),
            exchange(
                "{team} carries most of the manual work",
                "B: The people who suffer most are in {team}. They spend {number} hours a week reconciling.",
                "H: Is that the same every month?",
                "B: It doubles before a promotion.",
            ),
            exchange(
                "Growth makes the problem more urgent",
                "B: We open {number} new locations by summer.",
                "H: And the planning team grows with it?",
                "B: No, that is rather the point. The same six people have to carry it.",
            ),
            exchange(
                "{account} measures {metric}",
                "H: If this project works, which number moves?",
                "B: We would look at {metric} first. Today we are {percent} points below target.",
                "C: And our board asks for it every quarter.",
                "H: So a change of two points would already be visible.",
            ),
            exchange(
                "Earlier attempts failed",
                "H: Have you tried to solve it before?",
                "B: Twice. A consultant built us a model that nobody could maintain.",
                "B: After {weeks} weeks we were back in the spreadsheet.",
                "H: What would have to be different this time?",
                "B: It has to run without a person who knows all the formulas.",
            ),
            exchange(
                "Service level differs by region",
                "C: Around {city} we are fine. Elsewhere {metric} falls off a cliff.",
                "H: Do you know why?",
                "C: Longer lead times, and suppliers who confirm late.",
            ),
        ),
    ),
    "decision": Phase(
        "Decision process",
        "Decision Process",
        (
            exchange(
                "{buyer} owns the evaluation, finance signs",
                "H: Who else should be part of this decision?",
                "B: I own the evaluation. Anything above {amount} goes to our finance director.",
                "H: Would it help to bring them in early?",
                "B: Once we have a business case, yes.",
            ),
            exchange(
                "{account} also looks at {competitor}",
                "H: Are you comparing us with anybody?",
                "B: We saw a presentation by {competitor} in the spring.",
                "H: What did you like about it?",
                "B: It looked polished, but nobody could explain how the forecast was made.",
            ),
            exchange(
                "A decision is wanted before the peak season",
                "B: We need to be live before the peak season, otherwise we wait another year.",
                "H: Counting back, that gives us {weeks} weeks for the contract.",
                "B: That is tight, but our legal team is quick.",
            ),
            exchange(
                "{competitor} is the incumbent in one division",
                "C: One of our divisions already runs {competitor}.",
                "S: Would both stay, or is the plan to consolidate?",
                "C: Consolidate, if the numbers make sense.",
            ),
            exchange(
                "Procurement has to be involved",
                "B: Procurement will want three quotes, that is policy.",
                "H: We can give you a comparison sheet that they usually accept.",
                "B: Please do. It saves me a week.",
            ),
            exchange(
                "The evaluation criteria were named",
                "H: How will you score the candidates?",
                "B: Half of it is accuracy. The rest is integration with {system} and the effort for {team}.",
                "H: Good, then let us plan the trial around that.",
            ),
        ),
    ),
    "demo": Phase(
        "Product walkthrough",
        "Product Demo",
        (
            exchange(
                "{host} showed the planning board of {product}",
                "H: Let me share my screen. Can you see the board?",
                "B: Yes, we see it.",
                "H: Each row is a product family, and the colour tells you how sure {product} is about next week.",
                "B: So orange means somebody should look?",
                "H: Exactly, and everything else you can leave alone.",
            ),
            exchange(
                "Exceptions replace the weekly review",
                "S: Instead of reading {number} lines, a planner gets the twelve that matter.",
                "C: Who decides what matters?",
                "S: You set the threshold. Most start at {percent} percent deviation.",
            ),
            exchange(
                "{product} explains each forecast",
                "B: Why does it think demand goes up in {city}?",
                "S: Click on the figure. It lists the promotion, the school holidays and the trend.",
                "B: Nice, {competitor} could not show us that.",
            ),
            exchange(
                "Scenario comparison was demonstrated",
                "H: Here I copy the plan and delay one supplier by {weeks} weeks.",
                "H: You see at once what happens to {metric}.",
                "C: Can two people work on that at the same time?",
                "H: They can, and you decide which one gets published.",
            ),
            exchange(
                "Overrides are recorded",
                "C: My planners will want to overrule the machine.",
                "S: They may. Every override keeps a name and a reason, and later you see whether it helped.",
                "C: That will be an interesting conversation with {team}.",
            ),
            exchange(
                "Reports can be scheduled",
                "B: Our management wants a page on {day} morning, nothing else.",
                "H: You pick the view and it is sent as a document. No login needed.",
                "B: Good, because they would never log in.",
            ),
            exchange(
                "The mobile view was requested",
                "C: Does it run on a phone? Our store managers have no desk.",
                "H: The approval screen does. The full board needs something bigger.",
                "C: Approvals are all they need.",
            ),
            exchange(
                "{product} learns from past promotions",
                "S: We load {number} months of history and mark the promotions.",
                "B: Ours are marked badly.",
                "S: They all are. We find most of them from the sales curve itself.",
            ),
        ),
    ),
    "technical": Phase(
        "Architecture and integration",
        "Integrations",
        (
            exchange(
                "Integration with {system} was explained",
                "C: How do you connect to {system}?",
                "S: Through its standard interface, read only, once an hour.",
                "C: And writing the orders back?",
                "S: That is a second permission, and you switch it on when you trust the plan.",
            ),
            exchange(
                "Single sign-on is required",
                "C: Single sign-on is a must. We do not hand out passwords any more.",
                "S: It is included, and roles come from your directory groups.",
                "C: Including the removal of leavers?",
                "S: Within {number} minutes.",
            ),
            exchange(
                "The security review was started",
                "C: Our security review has {number} questions. Who fills it in?",
                "S: Send it to me. We keep answers to the usual ones ready, with the audit report.",
                "C: Where is the data stored?",
                "S: In the region you choose, encrypted, with a key per customer.",
            ),
            exchange(
                "The data model was discussed",
                "S: We need articles, locations, stock and sales. Everything else is a bonus.",
                "C: Our articles change their number when the supplier changes.",
                "S: Then we keep a chain, so that history follows the article.",
                "C: That alone would be worth the money.",
            ),
            exchange(
                "Load times were questioned",
                "C: We have {number} thousand articles. Does the nightly run finish?",
                "S: For a customer of your size it takes {minutes} minutes.",
                "C: Ours starts at four in the morning and must be done by six.",
            ),
            exchange(
                "The API limits were clarified",
                "C: Is there an API limit we have to respect?",
                "S: There is, but bulk exports do not count. We can raise it during the migration.",
                "C: Please write that down, {competitor} surprised us there.",
            ),
            exchange(
                "A test environment comes with the contract",
                "B: Do we get somewhere to break things?",
                "S: A test environment with last week's data, refreshed every {day}.",
                "C: Good. Our release process needs that.",
            ),
            exchange(
                "Backups and exit were covered",
                "C: What happens to our data if we leave?",
                "S: You download everything as plain files for {weeks} weeks, then we delete it and confirm.",
                "C: That is shorter than our legal team would like.",
                "S: We can extend it in the contract.",
            ),
        ),
    ),
    "objections": Phase(
        "Questions and concerns",
        "Objections",
        (
            exchange(
                "{buyer} worries about the budget",
                "B: I like it, but we have no budget for this before next year.",
                "H: What would the delay cost, with {percent} percent of margin at stake?",
                "B: Fair point. I would need help to make that case.",
            ),
            exchange(
                "The price was called too high",
                "B: To be frank, this is too expensive compared with {competitor}.",
                "H: Does their offer include the integration with {system}?",
                "B: I am not sure. I have to check.",
            ),
            exchange(
                "The timing is difficult for {team}",
                "C: It is not the right time for {team}. They are in the middle of a move.",
                "H: When does it calm down?",
                "C: In about {weeks} weeks.",
                "H: The first weeks need nobody but your data people.",
            ),
            exchange(
                "Adoption is the main concern",
                "B: My concern is that nobody uses it after the first month.",
                "S: We measure that, and I call you when the logins drop.",
                "B: The last vendor said the same.",
                "S: Then talk to a reference. I can set up a call with somebody near {city}.",
            ),
            exchange(
                "Accuracy must be proven on own data",
                "C: Everybody promises accuracy. We have been burned by {competitor} with that.",
                "H: Give us two years of history and hide the last {weeks} weeks from us.",
                "C: And if you miss?",
                "H: Then you have learned it for free.",
            ),
            exchange(
                "A longer contract is a risk for {account}",
                "B: Three years is a long time. Things change here every six months.",
                "H: We can agree on a way out after the first year.",
                "B: That would make it easier to sign.",
            ),
        ),
    ),
    "pricing": Phase(
        "Commercials",
        "Pricing",
        (
            exchange(
                "The offer is {amount} for {seats} seats",
                "H: The proposal is {amount} a year for {seats} seats, with support included.",
                "B: Is that the list price or our price?",
                "H: That is after the volume discount.",
            ),
            exchange(
                "{buyer} asked for a discount",
                "B: If we sign this month, is there a discount?",
                "H: I can take {discount} percent to my manager, if the term is three years.",
                "B: Let me see whether I can sell three years.",
            ),
            exchange(
                "Payment terms were negotiated",
                "B: We pay after sixty days, always.",
                "H: Our standard is thirty. With yearly payment in advance I can be flexible.",
                "B: Put both versions in the order form.",
            ),
            exchange(
                "Licence counting was explained",
                "C: What counts as a seat? Half of {team} only looks at reports.",
                "H: Only people who change the plan. Viewers are free.",
                "C: Then {seats} seats is plenty.",
            ),
            exchange(
                "The pilot is priced separately",
                "B: What does the pilot cost?",
                "H: A fixed fee, which we credit against the first year.",
                "B: And if we stop after it?",
                "H: Then you keep the results and owe us nothing else.",
            ),
            exchange(
                "Liability is the open point in the contract",
                "B: Legal marked the liability clause and the data processing annex.",
                "H: I expected the first one. Our counsel can call yours on {day}.",
                "B: Good, they speak that language.",
            ),
            exchange(
                "{competitor} offered a lower price",
                "B: I should tell you that {competitor} came back with a lower price.",
                "H: Thank you for being open. How far apart are we?",
                "B: About {discount} percent.",
                "H: I will not race to the bottom, but let me look at the term and the pricing of the second year.",
            ),
        ),
    ),
    "adoption": Phase(
        "Results so far",
        "Customer Success",
        (
            exchange(
                "{metric} improved at {account}",
                "H: Compared with the start, {metric} is up {percent} points.",
                "B: That matches what we see. Our director quoted it last week.",
                "H: May I quote it too?",
                "B: Ask marketing, but I would not mind.",
            ),
            exchange(
                "Usage of {product} is growing",
                "S: {number} planners logged in last month, four more than before.",
                "C: The team in {city} started without being asked.",
                "S: They also have the fewest overrides.",
            ),
            exchange(
                "An open support ticket is annoying {team}",
                "B: There is a ticket open for {weeks} weeks. It is about the export to {system}.",
                "H: I saw it this morning. The fix is in the next release.",
                "B: You said that on {day}.",
                "H: I did, and I will call you when it is out.",
            ),
            exchange(
                "Training for new planners is needed",
                "C: We hired {number} people who never had an introduction.",
                "S: There is a course of two hours, and I can do a live session.",
                "C: Live, please. They ask better questions.",
            ),
            exchange(
                "The renewal is due",
                "H: Your renewal is due at the end of the quarter.",
                "B: I know. We want to stay, but procurement asks for a price cap.",
                "H: With {seats} seats or more that is possible.",
            ),
            exchange(
                "{account} considers {product} for another division",
                "B: Our sister company asked what we use.",
                "H: Would you introduce me?",
                "B: Gladly. They have the same trouble with {pain}.",
            ),
            exchange(
                "The roadmap was presented",
                "S: Two things on the roadmap concern you: supplier scores and a better import.",
                "C: When?",
                "S: The import this quarter. Supplier scores after that, no date yet.",
                "C: I prefer an honest no to a wrong date.",
            ),
        ),
    ),
    "next_steps": Phase(
        "Wrap-up",
        "Next Steps",
        (
            exchange(
                "{host} sends the summary and {buyer} returns comments by {day}",
                "H: As a next step I send you a summary today.",
                "B: And I come back with comments by {day}.",
                "H: Great, then we keep the pace.",
            ),
            exchange(
                "{buyer} shares a data extract from {system}",
                "S: For the trial we need an extract from {system}.",
                "C: I will ask {team}. You should have it on {day}.",
                "S: A month of data is enough to begin.",
            ),
            exchange(
                "A follow-up with finance is scheduled for {day}",
                "H: Shall we put a follow-up in the calendar with your finance director?",
                "B: {day} after lunch works.",
                "H: I will send the invitation right away.",
            ),
            exchange(
                "{host} prepares the business case",
                "H: I will draft the business case with your figures.",
                "B: Use the {percent} percent we talked about. It is on the careful side.",
                "H: I will mark what is an assumption.",
            ),
            exchange(
                "{account} checks the contract with legal",
                "B: I pass the contract on to legal this afternoon.",
                "H: How long do they usually take?",
                "B: {weeks} weeks if nobody pushes. I will push.",
            ),
            exchange(
                "A reference call is arranged",
                "B: The reference would help us most.",
                "H: I will reach out to them and suggest two dates around {day}.",
                "B: Thank you. Keep it short, they are busy people.",
            ),
        ),
    ),
    "standup": Phase(
        "Team update",
        None,
        (
            exchange(
                "{account} moves forward",
                "H: What is new on {account}?",
                "S: {buyer} answered. They want the technical session before they talk about money.",
                "H: Is {amount} still realistic?",
                "S: I would call it the upper end.",
            ),
            exchange(
                "{competitor} shows up in more deals",
                "B: That is the third time this month that {competitor} is in the deal.",
                "H: What do they say about us?",
                "B: That we take {weeks} weeks to go live. We should answer with numbers.",
            ),
            exchange(
                "The forecast for the month was reviewed",
                "H: Let us do the forecast. What closes before the end of the month?",
                "C: Two that I am sure of, and {account} if legal behaves.",
                "H: I put {account} in best case then.",
            ),
            exchange(
                "Help is needed from engineering",
                "S: I need somebody who knows {system}. The customer asks about a version I never saw.",
                "H: Take it to the channel and name the customer, otherwise it drowns.",
                "S: Will do.",
            ),
            exchange(
                "Pipeline is thin in one region",
                "B: My pipeline around {city} is thin. I made {number} calls and booked one meeting.",
                "H: Try the people who were at the trade fair.",
                "B: I have the list, I start on {day}.",
            ),
            exchange(
                "A lesson from a lost deal was shared",
                "C: We lost the one I mentioned. The price was not the reason.",
                "H: What was it?",
                "C: We never met the person who signs. I would bring in finance earlier next time.",
            ),
            exchange(
                "The demo data needs a refresh",
                "S: The demo account still shows last summer.",
                "H: Who can refresh it?",
                "S: I can do it on {day}, it takes an hour.",
            ),
            exchange(
                "A customer praised the team",
                "B: {buyer} wrote to me that {metric} is the best they ever had.",
                "H: Forward it to everybody, please.",
            ),
        ),
    ),
    "dialer": Phase(
        "Call",
        None,
        (
            exchange(
                "{buyer} agreed to a meeting",
                "H: Hi {buyer}, this is {host}. Did I catch you at a bad moment?",
                "B: I have two minutes.",
                "H: I saw that {account} opens new locations. How do you plan stock for those?",
                "B: By hand, and it shows. Call me on {day}, or send an invitation.",
            ),
            exchange(
                "{buyer} asked for information by mail",
                "H: Hello, {host} speaking. We talked at the trade fair in {city}.",
                "B: Right. Can you send me something to read?",
                "H: Of course. What would be useful, an example from your industry?",
                "B: Yes, with figures.",
            ),
            exchange(
                "Not interested at the moment",
                "H: Hi {buyer}, I am calling about {pain}.",
                "B: We are not interested at the moment, sorry.",
                "H: Understood. May I ask again after the season?",
                "B: You can try.",
            ),
            exchange(
                "{account} just renewed with {competitor}",
                "H: Is planning something you look after?",
                "B: It is, but we just renewed with {competitor}.",
                "H: For how long, if I may ask?",
                "B: Two years, so be patient.",
            ),
            exchange(
                "The right contact is in {team}",
                "H: Am I right with you for planning questions?",
                "B: No, you want somebody in {team}. I can give you a name.",
                "H: That would be kind.",
            ),
        ),
    ),
    "voicemail": Phase(
        "Voicemail",
        None,
        (
            exchange(
                "{host} left a message",
                "H: Hi {buyer}, this is {host}. Sorry that I missed you.",
                "H: I will try again on {day}.",
            ),
        ),
    ),
}

CALL_TYPES: dict[str, CallType] = {
    "discovery": CallType(
        ("{account} <> {us}: Discovery", "Intro call {account} / {us}", "{us} and {account}, first conversation"),
        (("opening", 1), ("situation", 5), ("decision", 3), ("objections", 1), ("next_steps", 1)),
        (110, 240),
        "{host} and {buyer} talked about how {account} plans today.",
    ),
    "demo": CallType(
        ("{account} <> {us}: Demo", "{product} demo for {account}", "{account} / product walkthrough"),
        (("opening", 1), ("situation", 2), ("demo", 6), ("objections", 2), ("pricing", 1), ("next_steps", 1)),
        (140, 290),
        "{host} demonstrated {product} to {account}.",
    ),
    "deep dive": CallType(
        (
            "{account}: technical deep dive",
            "{us} <> {account}: integration with {system}",
            "Security, {account}",
        ),
        (("opening", 1), ("technical", 7), ("objections", 1), ("next_steps", 1)),
        (120, 270),
        "The teams of {account} went through integration, security and data with {host}.",
    ),
    "negotiation": CallType(
        ("{account}: commercials", "{us} / {account} contract review", "{account} <> {us}: Pricing"),
        (("opening", 1), ("pricing", 5), ("objections", 2), ("decision", 1), ("next_steps", 2)),
        (80, 180),
        "{buyer} and {host} negotiated the contract of {account}.",
    ),
    "review": CallType(
        ("{account}: quarterly business review", "{account} QBR", "{account} renewal"),
        (("opening", 1), ("adoption", 6), ("pricing", 1), ("next_steps", 1)),
        (100, 220),
        "{host} reviewed the quarter with {buyer} of {account}.",
    ),
    "standup": CallType(
        ("{teamname} standup", "Pipeline review {teamname}", "{teamname}: weekly sync"),
        (("standup", 1),),
        (40, 90),
        "{teamname} went through its deals and the forecast.",
    ),
    "dialer": CallType(
        ("Call with {buyer}", "{buyer} ({account})", "Outbound call to {buyer}"),
        (("dialer", 1),),
        (4, 24),
        "{host} called {buyer} at {account}.",
    ),
    "voicemail": CallType(("Call with {buyer}",), (("voicemail", 1),), (3, 4), "{host} left a message for {buyer}."),
}

SLOTS: dict[str, tuple[str, ...]] = {
    "product": ("Quay Forecast", "Quay Connect", "Quay Replenish"),
    "competitor": ("Stockwise", "PlanForge", "Netcurrent", "Gridlane"),
    "pain": (
        "stock-outs during promotions",
        "too much slow stock",
        "forecasts nobody trusts",
        "late purchase orders",
        "fresh goods we throw away",
        "planning in spreadsheets",
    ),
    "metric": ("forecast accuracy", "on-shelf availability", "inventory turnover", "order fill rate"),
    "team": ("demand planning", "store operations", "the finance team", "purchasing", "logistics"),
    "system": ("our ERP", "the order system", "the data warehouse", "the old mainframe"),
    "city": ("Portland", "Denver", "Austin", "Leeds", "Rotterdam", "Lyon", "Toronto", "Tampa"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "number": ("8", "12", "15", "20", "24", "36", "40", "60"),
    "percent": ("3", "4", "6", "7", "9", "11", "14"),
    "discount": ("5", "8", "10", "12", "15"),
    "weeks": ("two", "three", "four", "six", "eight", "ten"),
    "minutes": ("20", "25", "30", "45", "50"),
    "seats": ("25", "40", "60", "80", "120", "200"),
}
