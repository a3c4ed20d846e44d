"""Files as agencies really publish them, fictitious but awkward: one function writes each."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import zipfile
import zlib
from xml.sax.saxutils import escape

import xlsxwriter

NAMES = ["Agency", "Name", "Goal"]
ROWS = [
    ["Parks", "Tree planner", "Says where trees are missing."],
    ["Water", "Leak finder", "Says where pipes leak."],
]


# A hidden sheet, then one with a merged cell, dates and numbers, as Excel 97 wrote it.
_EXCEL_97 = (
    "c-rk4OK1~8^v!0sN!qkYztD<hDOk0Z7WLw#rqyaMHq;MjMbK?C){t})HWjTGt2IYK^rUzx)Pt9*7q$37FCr>b^dJ"
    "aAt9bGxD0pbQzInSF(;A@xEw=1i=FR)fo5_1`XD0i4s(gCvPTdSFg6-gedD9O?IWmUL?=T@iy=e;4>3!Ht7giMbe"
    "VE811s;^X@`@aae9wRcx8<jZ0X||o0x5_jb*?TW?4UJhOst`e$yj?5T*p=hwY07Z!u^CR3Ev{yhlJZna*=Qw+D@~"
    ">Fcpq8Z9_leIV3fZt_(4Qdo<=fNj5_@JQsC*_7bydUV#oHrX^O3qFxTbIAE^3xXum1m%t5?_RiMs*52M}s6u8OzM"
    "Cq*H|J%4qPp_sl`}y3kA-sYALKqvU_QA&kNk=x1B`%qjETz6Kq*YhR(0%5MtM2|0SMBbFGHs`q|L%*C_%2o+Wt?Y"
    "s$+ob{lhpYq78EFx{_K#0oWhY`#Gv3CkOkufr1{*h^GSp2Mo^DR6^6S+}5I<Hk?*Zo!|ynhftGNHKYb(>2ypVXu)"
    "ara4oJLkLgiv)GV-0#ZqXUKy^#8IEZND3N6^UO6heDAdW(i=yH0gLl~mjn_u5__w|I2l4OJqE9*#GCqe=yoD(B(a"
    "9LJk;U*ffiST*yx`yaF!c`bL>>GQkZDRK**<2uPBhIsx;B9z)4!r^C%$L3Q>ocFi8<C#qnmJQ7@h&_D4Vbp5y-kf"
    "mGizqot_qk8J3X^EzYm0Kf7=LsQpjGrX`kCcn1f;>%dNv*s(`yhwdWk~%Mn!%VPyqJRmmGw@ry0aiH^ld$a%7y2R"
    "S**$;c_TXO_n^BhN*)JtNQFEGImRXg|VrGxS^m&t3}I7V<27N{f6xMtjMw0pY{Sq(94v(Z#k$2|ZTAiyV)i?KMch"
    "DoDy#K`yx9f(tIV;KF|oj4mnG#Z0!ZX5z}>wZH4kVVie9ldM|U2T6Q}@L%FC(6KjQxS;x}0fjlf*b>J$-wOpC#Mu"
    "pqLm#apUU2>5Rh8xbo+S?q{k>PH(D~;JS?52V|0ndUG~5"
)


def excel_97():
    return zlib.decompress(base64.b85decode(_EXCEL_97))


def workbook(*sheets, hidden=()):
    """Write sheets, each a name and a function that writes it with the workbook's help."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for name, write in sheets:
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        else:
            sheet.activate()
            sheet.set_first_sheet()
        write(book, sheet)
    book.close()
    return out.getvalue()


def plain(rows, top=0):
    def write(_, sheet):
        for at, row in enumerate(rows, start=top):
            sheet.write_row(at, 0, row)

    return write


def repacked(raw, **changed):
    """Return a workbook of which the parts that end so were changed by functions."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(out, "w", 8) as after:
        for part in before.infolist():
            content = before.read(part)
            for name, change in changed.items():
                if f"/{part.filename}".endswith(f"/{name}.xml"):
                    content = change(content)
            after.writestr(part.filename, content)
    return out.getvalue()


def text_of(rows, delimiter=","):
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)


def preamble():
    above = [["AI use cases of 2025", "", ""], ["As of 1 June", "", ""], ["", "", ""]]
    return text_of([*above, NAMES, *ROWS]).encode()


def two_header_rows():
    heads = [["Agency", "The system", ""], ["", "Name", "Goal"]]
    return text_of([*heads, *ROWS]).encode()


def merged_heads():
    def write(book, sheet):
        sheet.merge_range(0, 0, 0, 2, "AI use cases of 2025")
        sheet.merge_range(1, 1, 1, 2, "The system")
        sheet.write_row(2, 0, NAMES)
        sheet.merge_range(3, 0, 4, 0, "Parks")
        sheet.write_row(3, 1, ROWS[0][1:])
        sheet.write_row(4, 1, ROWS[1][1:])

    return workbook(("Data", write))


def hidden_sheet_first():
    codes = [["Agency"], ["Parks"], ["Water"]]
    return workbook(("Codes", plain(codes)), ("Data", plain([NAMES, *ROWS])), hidden={"Codes"})


def blank_headers():
    return text_of([["Agency", "", "Goal"], *ROWS]).encode()


def equal_headers():
    return text_of([["Agency", "Please explain", "Please explain"], *ROWS]).encode()


def cp1252():
    return utf_8().decode().encode("cp1252")


def utf_8():
    row = ["Café des Élèves", "Menu – naïf", "Œuvre “juste”"]
    return text_of([NAMES, row], delimiter=";").encode()


def utf_16():
    return text_of([NAMES, *ROWS], delimiter="\t").encode("utf-16")


def serial_dates():
    """Write a date as a date, and the same as the number of a cell that lost its format."""
    day = dt.datetime(2025, 6, 1)  # noqa: DTZ001 — a spreadsheet's dates have no zone

    def write(book, sheet):
        sheet.write_row(0, 0, [*NAMES, "Since", "Until"])
        sheet.write_row(1, 0, ROWS[0])
        sheet.write_datetime(1, 3, day, book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_number(1, 4, 45_809)

    return workbook(("Data", write))


def lists_in_cells():
    """Write lists with commas, and with breaks of HTML."""
    row = [*ROWS[0], "Statistics, Machine learning", "Rules<br>Speech<br/>"]
    return text_of([[*NAMES, "Techniques", "Others"], row]).encode()


def html_page():
    rows = "".join(
        f"<tr><td>{agency}<td><a href='https://x.example'>{name}</a><td>{goal}<br>Yes &amp; no."
        for agency, name, goal in ROWS
    )
    head = "<tr><th rowspan=2>Agency<th colspan=2>The system<tr><th>Name<th>Goal"
    return (
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>T</title></head><body>"
        "<table><caption>Menu</caption><tr><td>Home</table>"
        f"<table><caption> AI\n use cases </caption><thead>{head}</thead><tbody>{rows}</tbody>"
        "</table></body></html>"
    ).encode()


def single_body():
    return text_of([NAMES[1:], *[row[1:] for row in ROWS]]).encode()


def nested_json():
    systems = [
        {"org": {"name": agency}, "title": {"en": name, "fr": f"{name} (fr)"}, "goal": goal}
        for agency, name, goal in ROWS
    ]
    return json.dumps({"meta": {"count": 2}, "data": {"systems": systems}}, indent=1).encode()


def nested_json_lines():
    document = json.loads(nested_json())
    return "\n".join(json.dumps(row) for row in document["data"]["systems"]).encode()


def opendocument(rows, hidden=None):
    """Write a spreadsheet of OpenDocument: numbers as numbers, all else as text."""

    def cell(value):
        if isinstance(value, float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        kind = 'office:value-type="string"'
        return f"<table:table-cell {kind}><text:p>{escape(value)}</text:p></table:table-cell>"

    def sheet(name, rows, style):
        body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>"
                       for row in rows)  # fmt: skip
        return f'<table:table table:name="{name}" table:style-name="{style}">{body}</table:table>'

    namespaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in [("office", "office"), ("table", "table"), ("text", "text"),
                             ("style", "style")]
    )  # fmt: skip
    styles = "".join(
        f'<style:style style:name="{name}" style:family="table">'
        f'<style:table-properties table:display="{shown}"/></style:style>'
        for name, shown in [("shown", "true"), ("hidden", "false")]
    )
    sheets = (sheet("Codes", hidden, "hidden") if hidden else "") + sheet("Data", rows, "shown")
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {namespaces} '
        f'office:version="1.3"><office:automatic-styles>{styles}</office:automatic-styles>'
        f"<office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="/" '
        'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest, 8)
        archive.writestr("content.xml", content, 8)
    return out.getvalue()
