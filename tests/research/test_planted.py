"""What is found in nine weeks of news of which the course is known; see `planted`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.research import planted
from tests.research.baselines import bursts, term_counts
from worker.research.library import Library
from worker.research.topics import rank_topics
from worker.research.topics_scores import Trend
from worker.research.topics_store import save_ranking
from worker.research.topics_stories import outlet_of

KEYWORDS = {"seed_keywords": ["Wärmepumpe", "Hausverwaltung"]}


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """A library with the whole corpus."""
    with Library(tmp_path_factory.mktemp("news") / "topics.db") as library:
        for day in planted.Corpus(seed=7).days():
            planted.store(library, day)
        yield library


@pytest.fixture
def ranking(news, make_market):
    return rank_topics(make_market(**KEYWORDS), news, now=planted.NOW)


def words(topic):
    return " ".join([topic.title, topic.key, *(one.title for one in topic.samples[:3])]).casefold()


def place_of(plant, ranking):
    def named(topic):
        return " ".join([topic.title, *topic.phrases]).casefold()

    return next((at for at, topic in enumerate(ranking.topics, 1) if plant.name[:9] in named(topic)), None)


def found(texts):
    told = list(texts)
    return sum(any(plant.name in text for text in told) for plant in planted.RISING)


def test_the_ten_that_rise_are_the_top_ten(ranking):
    assert {
        plant.name: place_of(plant, ranking)
        for plant in planted.RISING
        if (place_of(plant, ranking) or 99) > 10
    } == {}


def test_simpler_ways_find_fewer(news, ranking):
    ours = found(words(topic) for topic in ranking.topics[:10])
    assert ours == 10
    assert found(bursts(news, planted.NOW)) < ours
    assert found(term_counts(news, planted.NOW)) <= 1


def test_what_is_always_there_falls_or_comes_back_does_not_rise(ranking):
    by_place = dict(enumerate(ranking.topics, 1))
    for plant in (*planted.STEADY, *planted.FALLING, *planted.SEASONAL):
        place = place_of(plant, ranking)
        assert place is None or place > 10, plant.name
        if place is not None and plant in planted.STEADY:
            assert by_place[place].parts.trend is Trend.STEADY, plant.name
        if place is not None and plant in planted.FALLING:
            assert by_place[place].parts.trend is Trend.FALLING, plant.name


def test_one_spammer_is_no_topic_however_loud(ranking):
    said = [topic.title.casefold() for topic in ranking.topics] + [
        words(topic) for topic in ranking.topics[:10]
    ]
    assert not [text for text in said if any(word in text for word in planted.SPAM_WORDS)]


def test_two_feeds_of_one_host_are_one_voice():
    assert len({outlet_of(feed) for feed in planted.SPAMMER}) == 1
    assert outlet_of("www.heise.de/rss/a.xml") == outlet_of("heise.de/rss/b.xml")
    assert outlet_of("reddit.com/r/a/.rss") != outlet_of("reddit.com/r/b/.rss")


def test_copies_are_further_sources_but_weaker_ones(ranking):
    topic = next(topic for topic in ranking.topics if "Kaminofenmesse" in topic.title)
    assert (topic.parts.sources, topic.parts.documents) == (8, 1)
    assert topic.parts.voices < 4
    assert topic.parts.confidence < 0.5 < min(one.parts.confidence for one in ranking.topics[:10])


def test_the_parts_of_a_score_add_up_and_none_is_hidden(ranking):
    for topic in ranking.topics:
        assert topic.score == pytest.approx(sum(topic.parts.points.values()), abs=0.01)
        assert set(topic.parts.points) == {"rise", "sources", "fit", "novelty", "span"}
        assert 0 <= topic.score <= 100
        assert 0 <= topic.parts.confidence <= 1


def test_inflected_compounded_and_hyphened_words_are_one_topic(ranking):
    for name in ("heizungsgesetz", "gebäudep", "nordwärme"):
        assert len([topic for topic in ranking.topics[:30] if name in topic.title.casefold()]) == 1, name
    top = {topic.title for topic in ranking.topics[:10]}
    assert {"Heizungsgesetz", "Quantenbatterie", "Mietendeckel"} <= top


def test_days_are_the_voices_of_nine_weeks(ranking):
    topic = ranking.topics[place_of(planted.RISING[0], ranking) - 1]
    assert len(topic.days) == 63
    assert sum(topic.days[-7:]) >= 8
    assert sum(topic.days[:28]) == 0


def test_without_history_nothing_is_said_to_rise(home, make_market):
    with Library(home / "topics.db") as library:
        for day in planted.Corpus(seed=7).days(weeks=1):
            planted.store(library, day)
        ranking = rank_topics(make_market(**KEYWORDS), library, now=planted.NOW)
    assert ranking.history == 0
    assert {topic.parts.trend for topic in ranking.topics} == {Trend.UNKNOWN}
    assert all(topic.parts.velocity is None and topic.parts.points["rise"] == 0 for topic in ranking.topics)


def test_a_topic_keeps_its_key_while_its_weeks_go_by(home, make_market):
    market = make_market(**KEYWORDS)
    keys = []
    with Library(home / "topics.db") as library:
        for number, day in enumerate(planted.Corpus(seed=3, everyday=0.3, spam=1).days(), 1):
            planted.store(library, day)
            if number > 48 and number % 2:
                now = planted.NOW - timedelta(days=63 - number)
                ranking = rank_topics(market, library, now=now)
                save_ranking(library, ranking)
                keys += [topic.key for topic in ranking.topics if "heizungsgesetz" in topic.phrases]
    assert len(keys) >= 4
    assert len(set(keys)) == 1, keys
