"""README's session with a client made of the OpenAPI document: a call is taken, sent on and read; another department is refused.

usage: session.py URL, with the tokens of an agent, a dispatcher and two handlers in the environment.
"""

import os
import sys
from datetime import UTC, datetime

from caller_vault_client import AuthenticatedClient
from caller_vault_client.api.audit import audit_search
from caller_vault_client.api.callers import callers_intake, callers_reveal
from caller_vault_client.api.tickets import tickets_list, tickets_read, tickets_step
from caller_vault_client.models import (
    Call, Channel, Form, Intake, IntakeCaller, MatterKind, NewTicket, Problem, Purpose, RevealCaller, TicketStep, Transition,
)

url = sys.argv[1]


def client(who: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=url, token=os.environ[who], raise_on_unexpected_status=True)


caller = IntakeCaller()
caller["callback_number"] = "13900001111"
call = Call(channel=Channel.PHONE, received_at=datetime.now(UTC))
ticket = NewTicket(kind=MatterKind.COMPLAINT, category="noise", township="310113")
ticket["text"] = "楼下夜里施工。"
taken = callers_intake.sync(client=client("AGENT"), body=Intake(call=call, caller=caller, ticket=ticket))
no = taken.ticket.no

sent = tickets_step.sync(
    no, Transition.DISPATCH, client=client("DISPATCHER"), body=TicketStep(department="C1", reason="请核查")
)
assert sent.state == "dispatched", sent

handler = client("HANDLER")
signed = tickets_step.sync(no, Transition.SIGN, client=handler, body=TicketStep())
assert signed.state == "signed", signed
listed = tickets_list.sync(client=handler, limit=1)
assert listed.tickets[0].ticket.startswith("C1"), listed
page = tickets_read.sync(no, client=handler)
ask = RevealCaller(ticket=no, purpose=Purpose.HANDLE, fields=["callback_number"], form=Form.CLEAR)
shown = callers_reveal.sync(page.caller.ref, client=handler, body=ask)
assert shown.fields["callback_number"] == "+8613900001111", shown

refused = callers_reveal.sync_detailed(page.caller.ref, client=client("OTHER"), body=ask)
assert refused.status_code == 403 and isinstance(refused.parsed, Problem), refused
assert refused.parsed.type_ == "urn:callervault:problem:refused", refused

found = audit_search.sync(client=client("AUDITOR"), ticket=no, act="field.reveal", out="granted")
assert [entry.index for entry in found.entries] == [shown.audit.index], found
