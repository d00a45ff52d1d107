"""Answers as recorded Windows hosts give them, and answers that are none."""

import pytest

from netvitals.collectors.winrm.rows import Page, page_of

ENVELOPE = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common">'
    "<s:Header><a:RelatesTo>uuid:1</a:RelatesTo></s:Header><s:Body>{}</s:Body></s:Envelope>"
)
CLASS = 'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_OperatingSystem"'


def page(body: str) -> Page:
    return page_of(ENVELOPE.format(body).encode(), 7)


def test_the_first_answer_of_2008_and_2012_holds_one_row_and_a_context_to_go_on_with() -> None:
    found = page(
        "<n:EnumerateResponse><n:EnumerationContext>uuid:A</n:EnumerationContext>"
        "<w:Items><w:XmlFragment><DeviceID>C:</DeviceID><Size>1</Size></w:XmlFragment></w:Items>"
        "</n:EnumerateResponse>"
    )
    assert [row.values for row in found.rows] == [{"DeviceID": "C:", "Size": "1"}]
    assert found.context == "uuid:A"


def test_the_first_answer_of_2003_may_hold_no_row_at_all() -> None:
    found = page(
        "<n:EnumerateResponse><n:EnumerationContext>uuid:A</n:EnumerationContext></n:EnumerateResponse>"
    )
    assert found == ([], "uuid:A")


def test_enumerate_ends_in_the_namespace_of_ws_management() -> None:
    found = page(
        "<n:EnumerateResponse><n:EnumerationContext/><w:Items/><w:EndOfSequence/></n:EnumerateResponse>"
    )
    assert found == ([], None)


def test_pull_has_items_and_end_in_the_namespace_of_enumeration() -> None:
    found = page(
        "<n:PullResponse><n:EnumerationContext>uuid:B</n:EnumerationContext><n:Items>"
        "<w:XmlFragment><Name>a</Name></w:XmlFragment><w:XmlFragment><Name>b</Name></w:XmlFragment>"
        "</n:Items><n:EndOfSequence/></n:PullResponse>"
    )
    assert [row.values["Name"] for row in found.rows] == ["a", "b"]
    assert found.context is None


def test_a_whole_instance_reads_like_a_projection() -> None:
    found = page(
        f"<n:PullResponse><n:Items><p:Win32_OperatingSystem {CLASS} xsi:type='p:Win32_OperatingSystem_Type'>"
        "<p:CSName>HOST</p:CSName><p:Organization xsi:nil='true'/><p:Description></p:Description>"
        "<p:LastBootUpTime><cim:Datetime>2014-03-11T08:13:47.4957-05:00</cim:Datetime></p:LastBootUpTime>"
        "<p:MUILanguages>en-US</p:MUILanguages><p:MUILanguages>de-DE</p:MUILanguages>"
        "</p:Win32_OperatingSystem></n:Items><n:EndOfSequence/></n:PullResponse>"
    )
    assert found.rows == [
        (
            {
                "CSName": "HOST",
                "Organization": None,
                "Description": "",
                "LastBootUpTime": "2014-03-11T08:13:47.4957-05:00",
                "MUILanguages": "en-US",
            },
            7,
        )
    ]


@pytest.mark.parametrize("answer", [b"", b"<html>", b"<a/>", b"\xff\xfe", ENVELOPE.format("").encode()])
def test_what_is_no_answer_to_a_query_is_called_that(answer: bytes) -> None:
    with pytest.raises(ValueError, match="its answer is n"):
        page_of(answer, 0)
