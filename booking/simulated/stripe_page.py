"""The simulated Stripe's hosted payment page, clearly marked as simulated."""

from html import escape

from booking.money import kronor
from booking.simulated.stripe_store import Thing

_STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#16202c;--muted:#4a5668;--line:#c6cdd8;--go:#0b5d3b;--mark:#fff2c4;--mark-ink:#4b3500}
@media(prefers-color-scheme:dark){:root{--bg:#12171e;--card:#1b222c;--ink:#eef2f7;--muted:#b4bfcd;--line:#46525f;--go:#0f7a4e;--mark:#4b3a08;--mark-ink:#ffedb0}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:17px/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto;padding:1.5rem 1rem}
.mark{background:var(--mark);color:var(--mark-ink);border-radius:.5rem;padding:.75rem 1rem;margin:0 0 1.25rem;font-weight:600}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem}
h1{font-size:1.25rem;margin:0 0 .75rem}dl{margin:0 0 1rem}dt{color:var(--muted);font-size:.9rem}dd{margin:0 0 .5rem}
.sum{font-size:2rem;font-weight:700;font-variant-numeric:tabular-nums}
button,.back{display:block;width:100%;min-height:3rem;margin-top:.75rem;border-radius:.5rem;font:inherit;font-weight:600;cursor:pointer;text-align:center;padding:.7rem}
.go{background:var(--go);color:#fff;border:0}.no{background:transparent;color:var(--ink);border:2px solid var(--muted)}
.back{color:var(--ink)}:focus-visible{outline:3px solid #2f6fed;outline-offset:2px}
.err{border-left:4px solid #c02626;padding-left:.75rem;font-weight:600}
"""


def page(session: Thing, *, declined: bool = False) -> str:
    """Return the page of one session: pay, decline or go back."""
    text = escape(", ".join(session["_text"]))
    message = '<p class="err" role="alert">Betalningen nekades. Försök igen.</p>' if declined else ""
    back = session["cancel_url"]
    link = f'<a class="back" href="{escape(back, quote=True)}">Tillbaka utan att betala</a>' if back else ""
    body = _buttons() if session["status"] == "open" else _closed(session)
    return _shell(
        f"<h1>Betala</h1>{message}<dl><dt>Avser</dt><dd>{text}</dd>"
        f'<dt>Att betala</dt><dd class="sum">{kronor(session["amount_total"])} kr</dd></dl>{body}{link}'
    )


def missing() -> str:
    """Return the page for a session that does not exist."""
    return _shell("<h1>Betalningen finns inte</h1><p>Gå tillbaka till bokningen och försök igen.</p>")


def _buttons() -> str:
    return (
        '<form method="post">'
        '<button class="go" name="do" value="card">Betala med kort (simulerat)</button>'
        '<button class="go" name="do" value="swish">Betala med Swish (simulerat)</button>'
        '<button class="no" name="do" value="decline">Simulera nekad betalning</button></form>'
    )


def _closed(session: Thing) -> str:
    said = "Betalningen är klar." if session["status"] == "complete" else "Tiden för betalningen har gått ut."
    onward = escape(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), quote=True)
    return f'<p>{said}</p><a class="back" href="{onward}">Till bokningen</a>'


def _shell(content: str) -> str:
    return (
        '<!doctype html><html lang="sv"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Simulerad betalning</title>'
        f"<style>{_STYLE}</style></head><body><main>"
        '<p class="mark">Simulerad betalning – inga pengar flyttas.</p>'
        f'<div class="card">{content}</div></main></body></html>'
    )
