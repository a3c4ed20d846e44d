"""Texts that mean something elsewhere: what was filed is what is read, to the byte."""

import pytest

# For SQL, for full text search, for templates, for shells, for terminals, for spreadsheets.
TEXTS = {
    "sql": "'; drop table record; -- ' or '1'='1' \\' \" $1 $$ E'\\x27' %s %(a)s ::int /* */ ;",
    "search": 'a & b | !c <-> d:* (e) <1000000> "f -g',
    "patterns": "% _ %% \\% \\_ .* [a-z]+ (?:x)",
    "templates": "{{ 7 * 7 }} {% raw %} ${7*7} #{7} <%= 7 %> {0} {a.__class__}",
    "shell": "$(id) `id` ; | && > /etc/passwd",
    "spreadsheet": "=cmd|' /C calc'!A0 +1 -1 @sum(1)",
    "json": '{"a": [1, null]} \\u0000 \\n',
    "unicode": "𝕌𝔫𝔦 ﷽ e\u0301 🇲🇦 مرحبا".replace("e\u0301", "é"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_filed_is_what_is_read(register, agency, document, draft, kind):
    """SQL metacharacters everywhere a text can stand, and what else a text may be taken for."""
    text = TEXTS[kind]
    document["system_version"] = text[:50].strip()
    document["organisation"] = {"accountable_role": {"fr": text, "ar": text}}
    document["summary"] = {"fr": f"Essai {text}", "ar": f"تجربة {text}"}
    saved = register.client.put(draft, json=document, headers=agency | {"if-none-match": "*"})
    assert saved.status_code == 201, saved.text
    assert saved.json()["document"] == document
    refusals = [one for one in saved.json()["findings"] if one["severity"] == "error"]
    assert refusals == []
    receipt = register.client.post(f"{draft}/submit", headers=agency)
    assert receipt.status_code == 201, receipt.text
    record = register.client.get(f"/api/v1/records/{document['id']}")
    assert record.json()["record"] == document
    [item] = [
        one
        for one in register.client.get("/api/v1/records?limit=100").json()["items"]
        if one["id"] == document["id"]
    ]
    assert item["summary"] == document["summary"]
    found = register.client.get("/api/v1/records", params={"q": text, "lang": "fr"})
    assert found.status_code == 200
