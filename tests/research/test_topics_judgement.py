"""What an editor would complain of: words that rise by chance, one story under three names, fragments as titles."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import count

import pytest

from worker.research.phrases import split_terms, terms
from worker.research.sinks.words import standing, why
from worker.research.topics import rank_topics
from worker.research.topics_scores import Trend, surprise

# What is told every week: enough that there is a past to be compared with.
EVERYDAY = (
    "Grundsteuer in Essen steigt", "Aufzug steht seit Wochen still", "Mietspiegel für Kiel erschienen",
    "Balkon darf verglast werden", "Rauchmelder retten Familie", "Heizkosten gerecht verteilen",
)  # fmt: skip


@pytest.fixture
def history(tell, now):
    """Four weeks of everyday news from eight outlets, the current one included."""
    numbers = count()
    for week in range(4):
        for outlet in "abcdefgh":
            at = now() - timedelta(days=7 * week + 1)
            tell(outlet, f"{EVERYDAY[next(numbers) % len(EVERYDAY)]} {outlet}{week}", at=at)


@pytest.fixture
def ranked(library, now, make_market, history):
    def ranked(**more):
        return list(rank_topics(make_market(**more), library, now=now()).topics)

    return ranked


def place(topics, word):
    return next((at for at, topic in enumerate(topics, 1) if word in topic.title), None)


def test_a_word_that_unlike_stories_share_by_chance_ranks_below_a_story(tell, ranked):
    chance = (
        "Bürgermeister eröffnet Schwimmbad", "Bürgermeister tritt nach Streit zurück", "Klage gegen Bürgermeister abgewiesen",
        "Bürgermeister lobt Feuerwehr", "Radweg: Bürgermeister widerspricht",
    )  # fmt: skip
    story = (
        "Sandbatterie heizt ganzes Dorf", "Dorf heizt mit Sandbatterie", "Sandbatterie: Dorf in Bayern heizt günstig",
        "Wie ein Dorf mit der Sandbatterie heizt", "Bayern fördert Sandbatterie im Dorf",
    )  # fmt: skip
    for outlet, one, other in zip("abcde", chance, story, strict=True):
        tell(outlet, one, other)
    topics = ranked()
    assert place(topics, "Sandbatterie") == 1
    by_chance = topics[place(topics, "Bürgermeister") - 1]
    assert by_chance.parts.cohesion == 0 < topics[0].parts.cohesion
    assert by_chance.parts.voices == topics[0].parts.voices
    assert by_chance.score < topics[0].score


def test_one_event_with_many_words_is_one_topic(tell, ranked):
    told = (
        "Nordwärme meldet Insolvenz an: Kunden in Kiel ohne Heizung", "Insolvenz: Kiel prüft Nordwärme-Netz",
        "Kunden von Nordwärme frieren in Kiel", "Kieler Kunden frieren: Notheizung nach Nordwärme-Insolvenz",
        "Notheizung für Kieler Kunden nach Nordwärme-Insolvenz", "Kiel: Stadtwerke stellen Notheizung für Kunden auf",
    )  # fmt: skip
    for outlet, title in zip("abcdef", told, strict=True):
        tell(outlet, title)
    rising = [topic for topic in ranked() if topic.parts.trend in {Trend.NEW, Trend.RISING}]
    assert [topic.title for topic in rising] == ["Nordwärme"]
    assert {"nordwarm", "notheizung"} <= set(rising[0].phrases)


def test_a_compound_and_its_words_apart_are_one_topic(tell, ranked):
    told = (
        "Wärmepumpenförderung gekürzt", "Förderung von Wärmepumpen sinkt", "Wärmepumpen-Förderung: Antrag nur noch online",
        "Weniger Förderung für die Wärmepumpe", "KfW kürzt die Wärmepumpenförderung",
    )  # fmt: skip
    for outlet, title in zip("abcde", told, strict=True):
        tell(outlet, title)
    (topic,) = [topic for topic in ranked() if topic.parts.trend is Trend.NEW]
    assert topic.title in {"Wärmepumpe", "Wärmepumpen", "Wärmepumpenförderung"}
    assert topic.parts.sources == 5


def test_what_is_always_spoken_of_does_not_hide_what_rises_with_it(tell, ranked, now):
    for week in range(1, 4):
        for outlet in "abcdef":
            at = now() - timedelta(days=7 * week)
            tell(outlet, f"Vonovia {outlet}{week} verkauft", f"Vonovia baut in {outlet}{week}stadt", at=at)
    for outlet, what in zip("abcde", ("", " Vertrag", " Mieter", " Fragen", " Folgen"), strict=True):
        tell(outlet, f"Vonovia kauft Wohnkompakt{what}", f"Wohnkompakt gehört nun Vonovia{what}")
    topics = ranked()
    assert topics[0].title.startswith(("Wohnkompakt", "Vonovia kauft Wohnkompakt"))
    assert topics[0].parts.trend is Trend.NEW


@pytest.mark.parametrize("kicker", ["", "Tierisch: ", "Niedersachsen: "])
def test_one_headline_in_many_outlets_is_one_report(tell, ranked, kicker):
    for outlet in "abcde":
        tell(outlet, f"{kicker if outlet > 'b' else ''}Wildschwein planscht im Swimmingpool")
    (topic,) = [topic for topic in ranked() if "Swimmingpool" in topic.title]
    assert topic.parts.sources == 5
    assert topic.parts.voices == pytest.approx(1 + 4 * 0.2)


def test_equal_headlines_above_texts_of_their_own_are_reports_of_their_own(tell, ranked):
    for outlet in "abcde":
        text = " ".join(
            f"{word}{outlet}"
            for word in ("Besitzer", "Zaun", "Förster", "Garten", "Polizei", "Leiter", "Wasser", "Abend")
        )
        tell(outlet, "Wildschwein planscht im Swimmingpool", text=text)  # fmt: skip
    (topic,) = [topic for topic in ranked() if "Swimmingpool" in topic.title]
    assert topic.parts.voices == 5


def test_samples_say_something_else_each(tell, ranked):
    copies = "Sandbatterie heizt Dorf", "Energie: Sandbatterie heizt Dorf", "Sandbatterie heizt Dorf"
    for outlet, title in zip(
        "abcde", (*copies, "Dorf baut Sandbatterie", "Sandbatterie im Test"), strict=True
    ):
        tell(outlet, title)
    samples = [one.title.removeprefix("Energie: ") for one in ranked()[0].samples]
    assert set(samples[:3]) == {"Sandbatterie heizt Dorf", "Dorf baut Sandbatterie", "Sandbatterie im Test"}
    assert len(samples) == 5


def test_outlets_that_keep_to_a_story_speak_louder_but_not_without_end(tell, ranked):
    for outlet in "abcd":
        tell(outlet, f"Gebäudepass kommt {outlet}")
        tell(outlet, *(f"Fluthilfe Folge {outlet}{n}" for n in range(4)))
    voices = {topic.title.split()[0]: topic.parts.voices for topic in ranked()}
    assert voices["Gebäudepass"] == 4
    assert voices["Fluthilfe"] == pytest.approx(4 * 1.5)


@pytest.mark.parametrize("known", [True, False])
def test_what_comes_back_every_year_is_less_of_a_surprise_where_last_year_is_kept(
    tell, library, now, make_market, ranked, known
):
    if known:
        for week in (51, 52, 53):
            for outlet in "abcdefgh":
                tell(
                    outlet,
                    f"Heizkosten gerecht verteilen {outlet}{week}",
                    at=now() - timedelta(days=7 * week + 2),
                )
    for outlet in "abcdef":
        if known:
            tell(outlet, f"Zeitumstellung stellt {outlet} Thermostate", at=now() - timedelta(days=364 + 3))
        tell(outlet, f"Zeitumstellung: {outlet} Thermostate", f"Quantenbatterie {outlet}")
    ranking = rank_topics(make_market(), library, now=now())
    assert ranking.year_ago is known
    assert ("same weeks a year ago: what comes back" in standing(ranking)) is not known
    topics = {topic.title.split()[0].strip(":"): topic for topic in ranking.topics}
    yearly, new = topics["Zeitumstellung"], topics["Quantenbatterie"]
    assert new.parts.trend is Trend.NEW
    assert yearly.parts.year_ago == (pytest.approx(6 * 8 / 14, abs=0.01) if known else None), (
        "as much as was heard then"
    )
    assert ("a year ago" in why(yearly)) is known
    assert yearly.parts.trend is (Trend.RISING if known else Trend.NEW)
    assert (yearly.score < new.score - 8) is known
    assert len(yearly.days) == 63


def test_a_title_is_never_a_stem(tell, ranked):
    for outlet in "abcd":
        tell(outlet, f"Europameister gewinnt Finale {outlet}", f"Finale der Meister {outlet}")
    written = {word.strip(":").casefold() for topic in ranked() for word in topic.title.split()}
    assert written
    assert "meist" not in written


def test_what_a_text_writes_small_is_no_noun_though_it_begins_a_title():
    line = terms("Könnten Mieter sparen", "Die Mieter könnten sparen, sagt der Verband.", "de")
    small = split_terms(line)[2]
    assert "konnt" in small
    assert "miet" not in small


def test_general_words_of_english_name_no_topic_alone(tell, ranked):
    titles = (
        "The candidate in Boston",
        "A candidate and her dog",
        "Candidates quarrel",
        "Ohio has a candidate",
    )
    for outlet, title in zip("abcd", titles, strict=True):
        tell(outlet, title, language="en")
    assert place(ranked(), "andidate") is None
    assert place(ranked(seed_keywords=["candidates"]), "andidate") == 1, "but a market may be about them"


def test_voices_a_hair_below_what_is_usual_are_no_fall_and_no_fault():
    assert surprise(math.nextafter(0.251, 0), [0.251] * 4) == pytest.approx(0.0, abs=1e-6)
