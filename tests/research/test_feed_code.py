"""What is taken of the code of other projects' tests, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.benchmarks.feed_code import cases

GO = """package rss

func TestParse(t *testing.T) {
	data := `<rss><channel><item><title>A "b"</title></item></channel></rss>`
	feed, err := Parse("https://example.org/", bytes.NewReader([]byte(data)))
	if feed.Entries[0].Title != "A \\"b\\"" {
		t.Error(feed.Entries[0].Title)
	}
	if feed.Entries[0].URL != `https://example.org/a` {
	}
	expectedDate := time.Date(2003, time.June, 3, 9, 39, 21, 0, time.UTC)
	if !feed.Entries[0].Date.Equal(expectedDate) {
	}
	if feed.Entries[0].Content != want {
	}
}

func TestTwoFeeds(t *testing.T) {
	data := `<rss/>`
	data = `<rss></rss>`
	if feed.Entries[0].Title != "whose?" {
	}
}
"""
CPP = """
TEST_CASE("parses", "[rsspp]")
{
	REQUIRE_NOTHROW(f = p.parse_file("data/a.xml"_path));
	REQUIRE(f.items[0].title ==
		"one "
		"title");
	REQUIRE(f.items[0].pubDate == "Fri, 12 Dec 2008 02:36:10 +0100");
	REQUIRE(f.items[0].guid_isPermaLink);
}
TEST_CASE("parses two", "[rsspp]")
{
	REQUIRE_NOTHROW(f = p.parse_file("data/a.xml"_path));
	REQUIRE(f.items[0].title == "x");
	REQUIRE_NOTHROW(f = p.parse_file("data/b.xml"_path));
}
"""


def test_go(tmp_path):
    (tmp_path / "parser_test.go").write_text(GO)
    (case,) = cases(tmp_path, "https://base.example/")
    assert (case.name, case.base) == ("parser_test.go: TestParse", "https://example.org/")
    assert case.body.startswith(b"<rss><channel>")
    assert {one.field: one.value for one in case.wanted} == {
        "title": 'A "b"',
        "link": "https://example.org/a",
        "date": datetime(2003, 6, 3, 9, 39, 21, tzinfo=UTC),
    }


def test_cpp(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        (tmp_path / "data" / f"{name}.xml").write_text("<rss/>")
    (tmp_path / "rsspp_parser.cpp").write_text(CPP)
    (case,) = cases(tmp_path, "https://base.example/")
    assert (case.name, case.body) == ("data/a.xml", b"<rss/>")
    assert {one.field: one.value for one in case.wanted} == {
        "title": "one title",
        "date": datetime(2008, 12, 12, 1, 36, 10, tzinfo=UTC),
    }
