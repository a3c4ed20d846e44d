"""What the sections of a record's page show, one function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.pages.facts import answer, code, codes, node, plain, same, text

if TYPE_CHECKING:
    from registry.pages.facts import Node
    from registry.pages.reader import Reader

# Measures that people read as a percentage.
_SHARES = frozenset(
    (
        "accuracy",
        "precision",
        "recall",
        "false_positive_rate",
        "false_negative_rate",
        "error_rate",
        "override_rate",
        "coverage",
        "satisfaction",
    )
)


def redress(reader: Reader, document: Node) -> Node:
    """Say how to contest, to be told why, to reach a person."""
    rights = node(document, "rights")
    contestation = node(rights, "contestation")
    return {
        "available_code": contestation.get("available"),
        "available": code(reader, contestation, "available", "contestation_available"),
        "procedure": text(reader, contestation, "procedure"),
        "body_code": contestation.get("body"),
        "body": code(reader, contestation, "body", "contestation_body"),
        **plain(contestation, ("deadline_days", "url")),
        "explanation": answer(reader, rights, "explanation"),
        "notice": answer(reader, rights, "notice"),
        "human_alternative": answer(reader, rights, "human_alternative"),
        "data_rights": plain(node(rights, "data_rights_contact"), ("email", "url")),
    }


def purpose(reader: Reader, document: Node) -> Node:
    """Say what the system is for and whom it concerns."""
    goals = node(document, "purpose")
    scale = node(goals, "scale")
    return {
        **same(
            reader,
            goals,
            (
                "goal",
                "public_benefit",
                "proportionality",
                "alternatives_considered",
                "previous_process",
                "out_of_scope_uses",
            ),
        ),
        "affected_groups": codes(reader, goals, "affected_groups", "affected_group"),
        "decisions_per_year": scale.get("decisions_per_year"),
        "decisions_range": code(reader, scale, "decisions_range", "decisions_range"),
        "services": [
            {"name": text(reader, service, "name"), "url": service.get("url")}
            for service in goals.get("services") or ()
        ],
    }


def decision(reader: Reader, document: Node) -> Node:
    """Say what part the system has in a decision and who oversees it."""
    part = node(document, "decision")
    return {
        "role": code(reader, part, "role", "decision_role"),
        "legal_effect": part.get("legal_effect"),
        **same(reader, part, ("description", "human_oversight", "operator_training", "fallback")),
        "oversight_type": code(reader, part, "oversight_type", "oversight_type"),
        "override_possible": answer(reader, part, "override_possible"),
    }


def risk(reader: Reader, document: Node) -> Node:
    """Say why the risk level is what it is."""
    level = node(document, "risk")
    return {
        "rationale": text(reader, level, "rationale"),
        "area": code(reader, level, "annex_iii_area", "annex_iii_area"),
        "assessed_on": level.get("assessed_on"),
        "assessed_by": code(reader, level, "assessed_by", "assessor"),
        "method": code(reader, level, "method", "risk_method"),
        "reversibility": code(reader, level, "reversibility", "reversibility"),
        "duration": code(reader, level, "duration", "duration"),
        "rights_impact": [
            {
                "right": code(reader, impact, "right", "right"),
                "severity": code(reader, impact, "severity", "impact_severity"),
            }
            for impact in level.get("rights_impact") or ()
        ],
    }


def data(reader: Reader, document: Node) -> Node:
    """Say what data goes in, on what legal basis, where it is kept and for how long."""
    used = node(document, "data")
    retention, permit = node(used, "retention"), node(used, "authorisation")
    hosting, transfers = node(used, "hosting"), node(used, "transfers_abroad")
    return {
        **same(reader, used, ("description", "representativeness")),
        "personal": code(reader, used, "personal_data", "personal_data"),
        "categories": codes(reader, used, "categories", "data_category"),
        "sensitive": codes(reader, used, "sensitive", "sensitive_category"),
        "sensitive_none": used.get("sensitive") == [],
        "protected": codes(reader, used, "protected_attributes_used", "protected_attribute"),
        "sources": [
            {
                "name": text(reader, source, "name"),
                "kind": code(reader, source, "kind", "source_kind"),
                "uses": codes(reader, source, "uses", "source_use"),
                **plain(source, ("provider", "url")),
            }
            for source in used.get("sources") or ()
        ],
        "retention": retention.get("period"),
        "retention_note": text(reader, retention, "note"),
        "legal_basis": [
            {"title": text(reader, basis, "title"), **plain(basis, ("reference", "url"))}
            for basis in used.get("legal_basis") or ()
        ],
        "authority": code(reader, permit, "authority", "pack/bodies"),
        "regime": code(reader, permit, "regime", "authorisation_regime"),
        "permit": plain(permit, ("reference", "date")),
        "hosting": {
            "country": hosting.get("country"),
            "kind": code(reader, hosting, "kind", "hosting_kind"),
            "provider": hosting.get("provider"),
        },
        "transfers": answer(reader, used, "transfers_abroad"),
        "transfer_countries": transfers.get("countries") or [],
        "sharing": [
            {
                "recipient": share.get("recipient"),
                "purpose": text(reader, share, "purpose"),
                "url": share.get("agreement_url"),
            }
            for share in used.get("sharing") or ()
        ],
    }


def technical(reader: Reader, document: Node) -> Node:
    """Say how the system works."""
    works = node(document, "technical")
    source_code = node(works, "source_code")
    return {
        "techniques": codes(reader, works, "techniques", "technique"),
        "learning": code(reader, works, "learning", "learning"),
        **same(reader, works, ("description", "inputs", "outputs", "explainability")),
        "models": [
            plain(
                model,
                (
                    "name",
                    "version",
                    "provider",
                    "task",
                    "architecture",
                    "licence",
                    "base_model",
                    "url",
                ),
            )
            for model in works.get("models") or ()
        ],
        "source_code": code(reader, source_code, "availability", "source_code_availability"),
        "source_url": source_code.get("url"),
        "source_licence": source_code.get("licence"),
    }


def procurement(reader: Reader, document: Node) -> Node:
    """Say who made the system and under what contract."""
    bought = node(document, "procurement")
    contract = node(bought, "contract")
    return {
        "origin": code(reader, bought, "origin", "procurement_origin"),
        "suppliers": [
            {
                "role": text(reader, supplier, "role"),
                "scheme": code(
                    reader,
                    node(supplier, "identifier"),
                    "scheme",
                    "supplier_identifier_scheme",
                ),
                "identifier": node(supplier, "identifier").get("value"),
                **plain(supplier, ("name", "country")),
            }
            for supplier in bought.get("suppliers") or ()
        ],
        "contract": {
            "procedure": code(reader, contract, "procedure", "procurement_procedure"),
            **plain(contract, ("reference", "amount", "url", "starts", "ends")),
        }
        if contract
        else None,
        "data_access_terms": text(reader, bought, "data_access_terms"),
    }


def safeguards(reader: Reader, document: Node) -> Node:
    """Say what could go wrong, what is done about it, what was assessed and who was heard."""
    return {
        "risks": [
            {
                "category": code(reader, threat, "category", "risk_category"),
                "status": code(reader, threat, "status", "risk_status"),
                **same(reader, threat, ("description", "mitigation")),
                **plain(threat, ("likelihood", "severity")),
            }
            for threat in document.get("risks") or ()
        ],
        "assessments": [
            {
                "type": code(reader, study, "type", "assessment_type"),
                "status": code(reader, study, "status", "assessment_status"),
                **same(reader, study, ("title", "summary", "not_required_reason")),
                **plain(study, ("completed_on", "conducted_by", "independent", "url")),
            }
            for study in document.get("assessments") or ()
        ],
        "consultations": [
            {
                "kind": code(reader, heard, "kind", "consultation_kind"),
                "who": text(reader, heard, "who"),
                **plain(heard, ("date", "result_url")),
            }
            for heard in document.get("consultations") or ()
        ],
    }


def evaluation(reader: Reader, document: Node) -> Node:
    """Say how well the system works and what has gone wrong."""
    measured = node(document, "evaluation")
    return {
        "stated": bool(measured),
        "metrics": [
            {
                "name": code(reader, metric, "name", "metric"),
                "group": text(reader, metric, "group"),
                "share": _is_share(metric),
                **plain(metric, ("value", "unit", "dataset", "n", "measured_on")),
            }
            for metric in measured.get("metrics") or ()
        ],
        "fairness_tested": answer(reader, measured, "fairness_tested"),
        "monitoring": text(reader, measured, "monitoring"),
        "incidents_stated": "incidents" in measured,
        "incidents": [
            {
                "severity": code(reader, incident, "severity", "incident_severity"),
                "status": code(reader, incident, "status", "incident_status"),
                "summary": text(reader, incident, "summary"),
                **plain(incident, ("date", "url")),
            }
            for incident in measured.get("incidents") or ()
        ],
        "outcomes": plain(
            node(measured, "outcomes"), ("period", "decisions", "contested", "overturned")
        )
        if "outcomes" in measured
        else None,
    }


def documents(reader: Reader, document: Node) -> list[Node]:
    """List what else there is to read."""
    return [
        {
            "type": code(reader, item, "type", "document_type"),
            "title": text(reader, item, "title"),
            **plain(item, ("url", "language", "published_on")),
        }
        for item in document.get("documents") or ()
    ]


def _is_share(metric: Node) -> bool:
    return metric["name"] in _SHARES and "unit" not in metric and 0 <= metric["value"] <= 1
