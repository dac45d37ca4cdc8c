"""The licences that the Hub knows."""

from __future__ import annotations

import difflib

from thaitok.errors import UserError

# huggingface.co/docs/hub/repositories-licenses; the client has no list of its own. `unknown` is
# left out, since a licence is to be chosen.
_LICENSES = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause
bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research
intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0
openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma other
"""
LICENSES = frozenset(_LICENSES.split())
"""The licence ids that the Hub knows."""


def check_license(license_id: str) -> None:
    """Raise `UserError` for an id that the Hub does not know, with the nearest that it does."""
    if license_id in LICENSES:
        return
    close = difflib.get_close_matches(license_id.lower(), sorted(LICENSES), n=1, cutoff=0.4)
    remedy = f"did you mean {close[0]!r}?" if close else "one such is apache-2.0"
    raise UserError(f"{license_id!r} is no licence id of the Hub", where="--license", do=remedy)
