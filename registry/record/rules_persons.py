"""Rules on persons: generic mailboxes, and roles instead of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from registry.record.field_descriptions import quoted
from registry.record.messages import PendingFinding, message
from registry.record.pointers import pointer
from registry.record.rule_context import RuleContext, remark
from registry.text.folding import fold

# The words of a mailbox or role that no person's name holds, folded.
_ROLE_WORDS = frozenset((
    "accueil", "adjoint", "adjointe", "admin", "administration", "agence", "ai", "algo",
    "algorithm", "algorithme", "algorithmes", "algorithms", "analyst", "analyste", "architecte",
    "assistance", "auditeur", "auditor", "board", "bureau", "cabinet", "caid", "cellule",
    "centre", "chef", "chief", "citizen", "citoyen", "citoyens", "client", "clients", "comite",
    "commissaire", "commission", "commissioner", "communication", "conseil", "conseiller",
    "contact", "controleur", "controller", "coordinateur", "coordinator", "coordinatrice",
    "council", "courrier", "data", "dean", "delegue", "demande", "demandes", "departement",
    "department", "deputy", "digital", "directeur", "direction", "directorate", "directrice",
    "division", "doctor", "donnees", "doyen", "dpd", "dpo", "droits", "ecole", "engineer",
    "equipe", "expert", "general", "generale", "gestion", "gestionnaire", "gouverneur",
    "greffe", "head", "health", "hello", "help", "helpdesk", "ia", "info", "information",
    "infos", "ingenieur", "inspecteur", "inspection", "lead", "mail", "manager", "medecin",
    "mediation", "minister", "ministere", "ministre", "national", "nationale", "numerique",
    "nurse", "office", "officer", "ombudsman", "operations", "pacha", "percepteur", "physician",
    "pole", "president", "presidente", "press", "presse", "principal", "principale", "privacy",
    "projet", "public", "publics", "qualite", "question", "questions", "rapporteur",
    "reception", "receveur", "reclamation", "reclamations", "recteur", "rector", "regional",
    "regionale", "registre", "registry", "relations", "responsable", "sante", "school",
    "secretaire", "secretariat", "secretary", "section", "security", "service", "services",
    "sg", "si", "superviseur", "supervisor", "support", "systeme", "systemes", "team",
    "technology", "transparence", "transparency", "tresorier", "tresoriere", "unit", "unite",
    "usager", "usagers", "vice", "wali", "webmaster",
))  # fmt: skip
_PRIVATE_HOSTS = frozenset((
    "aol.com", "free.fr", "gmail.com", "gmx.com", "gmx.fr", "googlemail.com", "hotmail.com",
    "hotmail.fr", "icloud.com", "laposte.net", "live.com", "live.fr", "menara.ma", "orange.fr",
    "outlook.com", "outlook.fr", "proton.me", "protonmail.com", "yahoo.com", "yahoo.fr",
    "ymail.com",
))  # fmt: skip
_NAME_LIKE = re.compile(r"[a-z]+(?:-[a-z]+)?[._][a-z]+(?:-[a-z]+)*[0-9]{0,3}")
_MAILBOXES = (("contact", "email"), ("rights", "data_rights_contact", "email"))


def mailbox_generic(context: RuleContext) -> Iterator[PendingFinding]:
    """R19: A mailbox that looks like a person's own is pointed out.

    A warning: a mailbox of the agency outlives whoever reads it, and names nobody.
    """
    for path in _MAILBOXES:
        address = context.dig(*path)
        if address is not None and _is_personal(address):
            yield remark(
                "R19",
                pointer(path),
                message(
                    "{address} looks like a person's own mailbox. Use a generic one of the agency, "
                    "which outlives whoever reads it.",
                    address=quoted(address),
                ),
                severity="warning",
            )


# The records of an agency repeat mailboxes and roles.
@lru_cache(maxsize=4096)
def _is_personal(address: str) -> bool:
    local, _, host = address.lower().rpartition("@")
    named = _NAME_LIKE.fullmatch(local) and _ROLE_WORDS.isdisjoint(
        re.split(r"[._-]", local.rstrip("0123456789"))
    )
    return bool(named) or host in _PRIVATE_HOSTS


_HONORIFIC = re.compile(
    r"(?<!\w)(?:(?:M|Mr|Mrs|Ms|Dr|Pr|Prof)\.|Mr|Mrs|Ms|Mme|Mlle|Dr|Pr|Monsieur|Madame"
    r"|السيد|السيدة|الأستاذ|الأستاذة|الدكتور|الدكتورة)\s(?=\w)"
)
_FEWEST, _MOST = 2, 3


def role_not_person(context: RuleContext) -> Iterator[PendingFinding]:
    """R20: An accountable role that looks like a person's name is pointed out.

    A warning: the format asks who answers by office, never by name.
    """
    for tag, text in (context.dig("organisation", "accountable_role") or {}).items():
        if _looks_like_a_name(text):
            yield remark(
                "R20",
                pointer(("organisation", "accountable_role", tag)),
                message(
                    "{given} looks like a person's name. State the role that answers for the "
                    "system, such as head of division.",
                    given=quoted(text),
                ),
                severity="warning",
            )


@lru_cache(maxsize=4096)
def _looks_like_a_name(text: str) -> bool:
    """Return whether a text has a title, or is two or three capitalised words, none of offices."""
    if _HONORIFIC.search(text):
        return True
    words = text.split()
    if not _FEWEST <= len(words) <= _MOST:
        return False
    folded = {part for word in words for part in fold(word).split("-")}
    return _ROLE_WORDS.isdisjoint(folded) and all(word[0].isupper() for word in words)
