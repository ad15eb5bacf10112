from __future__ import annotations

from datetime import timedelta

import pytest

from worker.research.collect import collect
from worker.research.markets import load_market
from worker.research.topics import rank_topics
from worker.research.topics_store import save_ranking
from worker.research.words import stem


@pytest.fixture
def ranked(library, now, make_market):
    def ranked(**more):
        return keyed(rank_topics(make_market(**more), library, now=now()))

    return ranked


def keyed(ranking):
    return {topic.key: topic for topic in ranking.topics}


def test_what_several_sources_tell_is_a_topic(tell, ranked):
    tell("a", "Smart Building: neuer Standard", "Streik im Nahverkehr")
    tell("b", "Standard für das Smart Building kommt", "Wetter bleibt mild")
    tell("c", "Smart Buildings sparen Strom", "Fußball am Abend")
    topics = ranked()
    assert list(topics) == ["smart-building"]
    topic = topics["smart-building"]
    assert topic.title == "Smart Building"
    assert topic.sources == ("a.example/f", "b.example/f", "c.example/f")
    assert (topic.parts.sources, topic.parts.documents) == (3, 3)
    assert {one.title for one in topic.samples} == {
        "Smart Building: neuer Standard",
        "Standard für das Smart Building kommt",
        "Smart Buildings sparen Strom",
    }


def test_more_sources_and_a_keyword_raise_the_score(tell, ranked):
    for outlet in "abc":
        tell(
            outlet,
            f"Glasfaser im Haus {outlet}",
            f"Wärmepumpe im Haus {outlet}",
            f"Fernwärmenetz {outlet} wächst",
        )
    tell("d", "Fernwärmenetz im Streit")
    topics = ranked()
    assert list(topics) == ["wärmepump", "fernwärmenetz", "glasfas"]
    assert topics["wärmepump"].parts.keyword_fit == 1
    assert topics["wärmepump"].score > topics["fernwärmenetz"].score > topics["glasfas"].score > 0


def test_many_headlines_of_one_source_are_one_voice(tell, ranked):
    tell("a", *(f"Mieterstrom Folge {n}" for n in range(20)))
    tell("b", "Anderes")
    assert ranked() == {}


def test_a_market_with_one_source_still_has_topics(tell, ranked):
    tell("a", "Mieterstrom im Quartier", "Mieterstrom lohnt")
    assert list(ranked()) == ["mieterstrom"]


def test_excluded_words_take_a_story_out(tell, ranked):
    for outlet in "abc":
        tell(outlet, f"Glasfaser {outlet}", text="Gewinnspiel für alle")
    assert list(ranked()) == ["glasfas"]
    assert ranked(excluded_keywords=["Gewinnspiele"]) == {}


def test_the_window_is_over_when_a_story_was_first_seen(tell, ranked, now):
    for days, outlet in enumerate("abc"):
        tell(outlet, f"Glasfaser {outlet}", at=now() - timedelta(days=days))
    assert list(ranked(scheduling={"lookback_days": 7})) == ["glasfas"]
    assert ranked(scheduling={"lookback_days": 1})["glasfas"].parts.sources == 2


def test_stop_words_and_numbers_are_no_topics(tell, ranked):
    for outlet in "abcd":
        tell(
            outlet,
            f"Was Sie jetzt über die 7 neuen {outlet}dinge wissen müssen",
            f"How to get the most of {outlet}",
        )
    assert ranked() == {}


def test_a_story_another_market_stored_first_counts_here_too(tell, ranked, now):
    for outlet in "abc":
        tell(outlet, f"Glasfaser {outlet}", market="other")
        tell(outlet, f"Glasfaser {outlet}", market="test")
    assert ranked()["glasfas"].parts.sources == 3


def test_a_topic_keeps_its_key_when_its_phrase_grows(tell, ranked, library, now, make_market):
    for outlet in "abc":
        tell(outlet, f"Glasfaser {outlet}", at=now() - timedelta(days=9))
    before = now() - timedelta(days=8)
    save_ranking(library, rank_topics(make_market(), library, now=before))
    for outlet in "abc":
        tell(outlet, f"Glasfaser Ausbau stockt in {outlet}land")
    second = ranked(scheduling={"lookback_days": 7})
    assert list(second) == ["glasfas"]
    assert second["glasfas"].title == "Glasfaser Ausbau"
    assert second["glasfas"].first_seen == now() - timedelta(days=9)


def test_a_topic_does_not_take_the_key_of_another_that_it_was_a_side_of(tell, library, now, make_market):
    before = now() - timedelta(days=8)
    for outlet in "abcd":
        tell(outlet, f"Vonovia verkauft Wohnungen an Heimstaden {outlet}", at=before - timedelta(hours=1))
    first = rank_topics(make_market(), library, now=before)
    save_ranking(library, first)
    assert any({"vonovia", "heimstad"} <= set(topic.phrases) for topic in first.topics)
    lead = first.topics[0].phrases[0]
    side = next(word for word in ("Heimstaden", "Vonovia") if word.casefold()[:7] != lead[:7])
    for outlet in "abcd":
        tell(outlet, f"{side} plant Studentenheime {outlet}")
    second = keyed(rank_topics(make_market(scheduling={"lookback_days": 7}), library, now=now()))
    assert first.topics[0].key not in second


def test_saving_twice_keeps_one_row_and_what_notion_knows(tell, library, now, make_market):
    for outlet in "abc":
        tell(outlet, f"Glasfaser {outlet}")
    save_ranking(library, rank_topics(make_market(), library, now=now()))
    with library.transaction() as conn:
        conn.execute("UPDATE topic SET notion_page_id = 'p'")
    save_ranking(library, rank_topics(make_market(), library, now=now() + timedelta(days=1)))
    (row,) = library.rows("SELECT * FROM topic")
    assert (row["notion_page_id"], row["sources"]) == ("p", 3)
    assert row["last_seen"] == (now() + timedelta(days=1)).timestamp()


def test_the_demo_week(config_dir, library, now):
    market = load_market(config_dir, "demo")
    collect(market, library, now=now)
    ranking = rank_topics(market, library, now=now(), limit=50)
    assert ranking == rank_topics(market, library, now=now(), limit=50), "the same stories rank the same"
    topics = ranking.topics
    titles = [topic.title for topic in topics]
    assert titles[0] == "Wärmepumpe"
    assert topics[0].parts.sources >= 6
    assert {
        "Energieausweis",
        "Smart building standard",
        "Digitaler Zwilling",
        "Glasfaser",
        "Verwaltify",
    } <= set(titles)
    assert [topic.score for topic in topics] == sorted((topic.score for topic in topics), reverse=True)
    assert len({topic.key for topic in topics}) == len(topics)
    assert rank_topics(market, library, now=now(), limit=3).topics == topics[:3]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Wärmepumpe", "Wärmepumpen"), ("Sanierung", "Sanierungen"), ("sensor", "Sensors"), ("Gebäude", "Gebäuden"),
     ("Tenant’s", "tenants"), ("Heizungsgesetz", "Heizungsgesetzes"), ("Gebäudepass", "Gebäudepässe"),
     ("Energieausweis", "Energieausweise"), ("Register", "Registers"), ("policy", "policies"), ("Stadt", "Städte")],
)  # fmt: skip
def test_forms_of_one_word(one, other):
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Haus", "Hau"), ("Norm", "Normen"), ("Miete", "Mieter"), ("Bau", "Bauen")]
)
def test_short_words_are_left_alone(one, other):
    assert stem(one) == one.casefold()
