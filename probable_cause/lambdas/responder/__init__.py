"""The responder: the state table's stream -> transitions of each application's layers -> EventBridge, SNS, a webhook.

snapshot      an image of `overall#current` as a value
transitions   two snapshots -> what happened between them
quiet         which of them to hold back while a cause comes and goes
contract      a transition as the published JSON document (docs/response.schema.json)
ledger        what was told already, and what is still to be sent, in the table SentTransitions
channels      EventBridge, SNS, webhook (plain or Slack)
handler       the Lambda
"""
