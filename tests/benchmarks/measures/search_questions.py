"""Two hundred questions about the simulated company's calls, and the exchange that answers each.

Each exchange, `phase | gist` as in `pipelines/demo/company/dialogue`, is followed by two ways to ask for it. The first
question is what a person would type, who may use a word of the call by chance. The second one was worded so that it
shares no word with the exchange, apart from words such as "the" and "customer".
"""

from __future__ import annotations

from typing import NamedTuple

_TEXT = """
situation | {buyer} described how planning works today
  how do prospects do their replenishment work at present
  manual spreadsheet routine of demand people
situation | {account} struggles with {pain}
  reasons why they are looking for a new solution
  motivation to meet vendors and damage suffered
situation | A bad experience with a promotion
  campaigns that went badly wrong
  anecdote about advertised offer running out or piling up
situation | {system} remains the system of record
  where is the customer's master information kept
  databases of truth for inventory
situation | {team} carries most of the manual work
  employees overloaded with repetitive tasks
  staff drowning in tedious chores, resignations
situation | Growth makes the problem more urgent
  expansion without hiring more staff
  adding shops while employee numbers stay flat
situation | {account} measures {metric}
  which KPI defines success for them
  kpis executives watch
situation | Earlier attempts failed
  previous tools that did not work out
  past project flops
situation | Service level differs by region
  some areas of the country perform worse than others
  geographic inconsistency in availability
situation | Seasonality at {account}
  companies whose sales peak at one time of year
  holiday surge, volumes locked in long beforehand
situation | Suppliers and lead times
  how many days until vendors deliver
  shipments arriving tardy versus agreed duration
situation | The role of the stores
  can shop managers modify what gets delivered
  autonomy of branches to adjust quantities
situation | Waste and markdowns
  share of products thrown away or sold cheaper
  spoilage and shrink figures
decision | {buyer} owns the evaluation, finance signs
  who approves the purchase
  CFO has final authority over spending
decision | {account} also looks at {competitor}
  rival products in the running
  other bidders they watched
decision | {competitor} is well liked at {account}
  a rival is the favourite of the customer
  we trail behind another bidder
decision | {competitor} is the incumbent in one division
  part of the group already uses another product
  subsidiary has existing tool from rival
decision | No competitor in the deal
  without another bid, they could just keep Excel
  status quo as the rival
decision | Building in-house was considered
  do it yourself instead of buying
  internal developers would write own software
decision | A decision is wanted before the peak season
  go-live deadline driven by Christmas business
  urgent launch schedule
decision | Procurement has to be involved
  purchasing department wants more than one bid
  sourcing rules demand several offers
decision | The evaluation criteria were named
  how will vendors be judged
  requirements checklist for selecting a supplier
decision | The steps up to a signature were listed
  what is missing until the deal closes
  path to closing, management approval
decision | The decision depends on one sceptic
  an influential person opposes us
  internal detractor blocking the purchase
decision | A champion was found in {team}
  who supports us inside the customer
  internal advocate endorses our product
demo | {host} showed the planning board of {product}
  presentation of the main screen
  demonstration of dashboards
demo | A day in the life of a planner was shown
  what does a normal day look like for a user of the software
  typical daily routine simulated
demo | Exceptions replace the weekly review
  only look at what needs attention
  alerts on outliers rather than going through everything
demo | {product} explains each forecast
  why does the prediction rise
  transparency about drivers behind predictions
demo | {product} was compared with {competitor}
  features that a rival could not present
  our advantage over other vendors in transparency
demo | Scenario comparison was demonstrated
  simulate what happens if a delivery is late
  what-if analysis
demo | Overrides are recorded
  can users correct the suggestion of the algorithm
  audit trail for manual edits to suggestions
demo | Reports can be scheduled
  automatic PDF by e-mail for executives
  regular summary delivered to bosses
demo | The mobile view was requested
  is there an iOS or Android version
  smartphone and tablet support
demo | {product} learns from past promotions
  does it use earlier campaigns
  historical advertising events recognised automatically
demo | Fresh goods were tried live
  they asked to see perishable products in the software
  trying out a real assortment during presentation
demo | {buyer} asked about large orders
  an exceptional bulk purchase that distorts the numbers
  outliers in demand from single huge buyer
demo | The walkthrough was too generic
  the demonstration did not use the customer's own numbers
  disappointed by sample dataset
demo | {team} wants to try it at once
  users are eager to get access
  enthusiastic request for trial accounts
technical | The architecture was drawn
  technical overview of the data pipeline
  explaining infrastructure and monitoring
technical | Integration with {system} was explained
  how does the product exchange data with the ERP
  ERP linkage
technical | Single sign-on is required
  SSO and SAML login
  identity provider authentication
technical | The security review was started
  infosec questionnaire and data residency
  compliance assessment, hosting location
technical | Findings of the security review were discussed
  problems that the infosec team discovered
  vulnerabilities and gaps found in assessment
technical | The data model was discussed
  which tables do we have to deliver
  product identifiers get replaced
technical | Load times were questioned
  is the overnight batch fast enough
  performance and speed of processing
technical | The API limits were clarified
  rate limiting of the REST endpoints
  throttling quota
technical | A test environment comes with the contract
  do we get a staging system
  safe place to experiment before production
technical | Backups and exit were covered
  getting our information back after termination
  offboarding, erasing records
technical | Data quality of {system} was examined
  errors in the customer's records
  implausible values, missing vendors
technical | History and its gaps
  not enough past data to train on
  short track record of archived sales
technical | Latency and outages
  uptime guarantee and SLA credits
  reliability, refunds for downtime
technical | Who maintains the connection
  who is responsible if the connector breaks
  broken interface after schema modification
technical | Personal data was ruled out
  GDPR and customer information
  PII
technical | Special handling of {goods}
  products with expiry dates or variants
  perishability constraints
objections | {buyer} worries about the budget
  not enough money this year
  funds unavailable until coming period
objections | The project was called too expensive
  customers who think we cost too much
  sticker shock
objections | The timing is difficult for {team}
  bad moment to start because people are busy
  schedule conflicts with internal relocation
objections | Adoption is the main concern
  fear that the software will not be used
  user engagement fading after launch
objections | Accuracy must be proven on own data
  doubts whether the forecast is right
  they want evidence of prediction quality
objections | {competitor} promised a better {metric}
  rival claims higher results
  unsubstantiated claims from other vendor
objections | A longer contract is a risk for {account}
  they do not want to commit for several years
  reluctance about lengthy commitment
objections | My concern: dependence on one vendor
  lock-in worry
  acquisition of our firm would be risky
objections | The effort on the customer's side
  how much work is the rollout for us
  implementation workload for employees
objections | Planners fear for their jobs
  employees afraid that software takes over their roles
  worries about layoffs through automation
objections | Earlier promises were not kept
  we delivered late and disappointed them
  broken commitments, apology
objections | The project lost its priority
  our initiative is no longer important to them
  deprioritised
objections | No fit for {goods}
  doubts that our product works for that category
  unsuitable for their assortment
pricing | The offer is {amount} for {seats} seats
  what did we quote them
  annual fee quotation
pricing | {buyer} asked for a discount
  customers who want to pay less
  haggling for cheaper deal
pricing | {buyer} wants to know how the list price is built
  explain how the fee is calculated
  breakdown of charges
pricing | The price per seat was discussed
  cost of each user licence
  unit cost higher than anticipated
pricing | A price in steps was proposed
  pay little at the beginning and more after success
  gradual ramp-up of fees tied to results
pricing | Payment terms were negotiated
  how many days to pay an invoice
  invoicing conditions, prepay annually
pricing | Licence counting was explained
  which users need a paid licence
  complimentary access for occasional readers
pricing | The pilot is priced separately
  cost of the proof of concept
  charge for trial refunded later
pricing | Liability is the open point in the contract
  lawyers disagree about damages
  indemnity, GDPR appendix
pricing | {competitor} offered a lower price
  a rival undercut us
  cheaper bid from rival
pricing | {buyer} compared the pricing with another vendor
  a rival's cost structure is easier to understand
  other supplier charges flat fee by location
pricing | A price cap was agreed
  limit future increases of the fee
  ceiling on hikes when extending
pricing | The order form was reviewed
  remarks on the paperwork to be signed
  lawyers' remarks concerning termination deadline
pricing | The discount was not enough
  our rebate did not satisfy them
  concession insufficient
pricing | Budget was confirmed
  money has been approved
  funding secured
loss | {competitor} was chosen
  they bought from someone else
  picked a rival, deal lost
loss | No decision was made
  the customer put everything on hold
  initiative cancelled
loss | The door stays open
  may we contact them again in future
  keep relationship for later opportunity
adoption | {metric} improved at {account}
  success story with measurable results
  customer achievements, KPI gains
adoption | Usage of {product} is growing
  more and more people use it
  rising active users
adoption | An open support ticket is annoying {team}
  complaint about a bug that is still not fixed
  customer frustrated by slow helpdesk
adoption | Training for new planners is needed
  teach newly employed staff
  onboarding lessons, education
adoption | The renewal is due
  contract has to be extended soon
  subscription expires
adoption | The renewal is at risk
  customer might churn
  rival approached account, danger of losing it
adoption | {account} considers {product} for another division
  chance to expand into another part of the group
  upsell and cross-selling to affiliate
adoption | The roadmap was presented
  which features are planned for the future
  upcoming functionality
adoption | An outage in {month} was discussed
  the service was down and they were upset
  incident, root reason, downtime
next_steps | {account} checks the contract with legal
  lawyers read the agreement
  attorneys examine the paperwork
next_steps | A reference call is arranged
  talk to another client who already uses it
  put prospect in touch with happy user
standup | Pipeline is thin in one region
  too few opportunities in a territory
  not enough leads
standup | A lesson from a lost deal was shared
  what did we learn after losing
  postmortem: never reached the decision maker
dial_refused | No budget this year
  cold calls refused for lack of money
  cold outreach rejected, no funds
"""


class Question(NamedTuple):
    """A question and the exchange that answers it.

    Attributes:
        phase: Key of the exchange's phase.
        gist: The exchange's gist, with slots.
        text: The question.
        shares_no_word: Whether the question was worded without the words of the exchange.
    """

    phase: str
    gist: str
    text: str
    shares_no_word: bool


def read_questions() -> list[Question]:
    """Return the questions in the order of the text."""
    lines = iter(_TEXT.strip().splitlines())
    questions = []
    for exchange, *texts in zip(lines, lines, lines, strict=True):
        phase, gist = exchange.split(" | ")
        questions += [Question(phase, gist, text.strip(), number == 1) for number, text in enumerate(texts)]
    return questions
