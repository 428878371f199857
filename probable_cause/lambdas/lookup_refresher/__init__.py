"""The lookup refresher: what an account has, and whose it is -> ApplicationLookupByIP and ApplicationLookupByResource.

inventory     a resource as a value
sources/      one module a kind of service: boto3's answers -> resources
accounts      which accounts and regions, with polite clients
ownership     resources -> rows: by tag, by what it belongs to, by stack, by who uses it
changes       rows wanted and rows there -> opened, closed, reopened, updated
formats       the formats of the account's flow logs
refresh       all of it, once
handler       the Lambda
"""
