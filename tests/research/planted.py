"""Nine weeks of news with planted stories, so that it is known what a ranking should find.

Thirty outlets tell everyday stories (Zipf-distributed actors, things and places, the same mixture every week)
and, among them, stories whose course is known: they rise, stay, fall, come back every fourth week, are copied
from outlet to outlet, or are shouted by one spammer.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from worker.research.document import Document, content_hash
from worker.research.library import Harvest
from worker.research.sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.research.library import Library

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OUTLETS = tuple(f"outlet{number:02}.example/feed" for number in range(30))
SPAMMER = ("casino-blog.example/news", "casino-blog.example/deals")

ACTORS = [
    "Vonovia",
    "Deutsche-Wohnen",
    "Stadtwerke",
    "Bundesregierung",
    "Landtag",
    "Mieterbund",
    "Haus-und-Grund",
    "Bitkom",
    "Techem",
    "Ista",
    "Minol",
    "Siemens",
    "Bosch",
    "Viessmann",
    "Vaillant",
    "Engie",
    "Enpal",
    "Aroundtown",
    "Instone",
    "Patrizia",
    "Union-Investment",
    "Commerzbank",
    "KfW",
    "Bafa",
    "Senat",
    "Bundestag",
    "Bundesrat",
    "EU-Kommission",
    "Verbraucherzentrale",
    "Städtetag",
    "Handwerkskammer",
    "Fraunhofer-Institut",
    "Immoscout",
    "Immowelt",
    "McMakler",
    "Homeday",
    "Schüttflix",
    "Doozer",
    "Planradar",
    "Aareon",
    "Facilioo",
    "Casavi",
    "Propstack",
    "Allthings",
    "Mobeen",
    "Kugu",
    "Metr",
    "Green-Fusion",
]
THINGS = [
    "Heizkosten",
    "Neubau",
    "Sanierung",
    "Fassade",
    "Aufzug",
    "Parkhaus",
    "Tiefgarage",
    "Hotel",
    "Bürohaus",
    "Logistikhalle",
    "Quartier",
    "Dachboden",
    "Keller",
    "Balkon",
    "Treppenhaus",
    "Rauchmelder",
    "Wasserzähler",
    "Stromzähler",
    "Briefkasten",
    "Spielplatz",
    "Grundsteuer",
    "Nebenkosten",
    "Mietspiegel",
    "Mietpreisbremse",
    "Eigenbedarf",
    "Kaution",
    "Makler",
    "Notar",
    "Grundbuch",
    "Kredit",
    "Zins",
    "Bauzins",
    "Baugenehmigung",
    "Bebauungsplan",
    "Denkmalschutz",
    "Brandschutz",
    "Schimmel",
    "Lüftung",
    "Dämmung",
    "Fenster",
    "Dachziegel",
    "Holzbau",
    "Modulbau",
    "Beton",
    "Zement",
    "Kran",
    "Gerüst",
    "Baulücke",
    "Brachfläche",
    "Erbbaurecht",
    "Genossenschaft",
    "Eigentümerversammlung",
    "Rücklage",
    "Hausgeld",
    "Verwalterwechsel",
    "Instandhaltung",
    "Winterdienst",
    "Müllabfuhr",
    "Photovoltaik",
    "Ladesäule",
    "Fernwärme",
    "Gasheizung",
    "Pelletheizung",
    "Klimaanlage",
    "Regenwasser",
    "Gründach",
    "Fahrradkeller",
    "Paketstation",
]
PLACES = [
    "Berlin",
    "Hamburg",
    "München",
    "Köln",
    "Frankfurt",
    "Stuttgart",
    "Düsseldorf",
    "Leipzig",
    "Dortmund",
    "Essen",
    "Bremen",
    "Dresden",
    "Hannover",
    "Nürnberg",
    "Duisburg",
    "Bochum",
    "Wuppertal",
    "Bielefeld",
    "Bonn",
    "Münster",
    "Karlsruhe",
    "Mannheim",
    "Augsburg",
    "Wiesbaden",
    "Kiel",
    "Aachen",
]
TITLES = (
    "{actor} baut {thing} in {place}", "{thing}: Was {actor} jetzt plant", "{place} streitet über {thing}",
    "{actor} und {actor2} kooperieren bei {thing}", "Neue Regeln für {thing} in {place}", "{thing} wird teurer",
    "Studie: {thing} in {place} gefragt", "{actor} verkauft {thing} an {actor2}", "So gelingt {thing} im Altbau",
    "{actor} warnt vor Folgen für {thing}", "{thing} oder {thing2}? Ein Vergleich", "Gericht urteilt zu {thing} in {place}",
    "How {actor} rethinks {thing} in {place}", "{actor} raises money for {thing}",
)  # fmt: skip
LEADS = (
    "{actor} hat am Montag in {place} über {thing} informiert. Auch {actor2} äußerte sich zu {thing2}.",
    "In {place} beschäftigt {thing} die Eigentümer. {actor} rechnet mit Folgen für {thing2}.",
    "Das teilte {actor} mit. Für {thing} gelten in {place} andere Fristen als für {thing2}.",
)
# Words that no title has: what makes two reports of one story two texts.
_SYLLABLES = [
    a + b
    for a in ("b", "d", "f", "g", "k", "l", "m", "n", "r", "schl", "str", "w")
    for b in ("a", "ei", "o", "u")
]
PROSE = [one + two + end for one in _SYLLABLES for two in _SYLLABLES[::3] for end in ("ben", "tung", "lig")]


@dataclass(frozen=True)
class Plant:
    """A planted story.

    Attributes:
        name: by which it is found again: a word that only it has.
        titles: how outlets put it; words are inflected, compounded and hyphened differently.
        weeks: outlets that tell it in each week, the current one last.
        copied: further outlets that repeat the first one's text.
    """

    name: str
    titles: tuple[str, ...]
    weeks: tuple[int, ...]
    copied: int = 0


def _plant(name: str, weeks: str, *titles: str, copied: int = 0) -> Plant:
    return Plant(name, titles, tuple(int(part) for part in weeks.split()), copied)


RISING = (
    _plant("heizungsgesetz", "0 0 0 0 0 1 1 3 11", "Heizungsgesetz: Novelle im Kabinett", "Novelle des Heizungsgesetzes spaltet Koalition", "Was die Heizungsgesetz-Novelle bringt", "Streit um das Heizungsgesetz"),
    _plant("quantenbatterie", "0 0 0 0 0 0 0 0 7", "Quantenbatterie speichert Solarstrom", "Erste Quantenbatterien im Testhaus", "Quantenbatterie: Start-up meldet Durchbruch"),
    _plant("mietendeckel", "0 1 0 0 1 0 1 1 9", "Mietendeckel kehrt zurück", "Senat berät Mietendeckel", "Mietendeckels Folgen für Vermieter", "Klage gegen Mietendeckel"),
    _plant("gebäudepass", "0 0 0 0 0 0 0 2 8", "Digitaler Gebäudepass wird Pflicht", "Pflicht zum digitalen Gebäudepass ab Januar", "Digitale Gebäudepässe: Fristen im Überblick", "Digitaler Gebäudepass kostet Verwalter Zeit"),
    _plant("sandbatterie", "0 0 0 0 0 0 0 1 6", "Sandbatterie heizt ganzes Dorf", "Sandbatterien als Speicher für Fernwärme", "Finnische Sandbatterie kommt nach Bayern"),
    _plant("nordwärme", "0 0 0 0 0 0 0 0 6", "Nordwärme ist insolvent", "Insolvenz von Nordwärme trifft Kunden", "Nordwärme-Insolvenz: Was Mieter wissen", "Nordwärme meldet Insolvenz an"),
    _plant("grid fee", "0 0 0 0 0 0 1 1 6", "Grid fee reform hits landlords", "Landlords fear grid fee reform", "What the grid fee reform means for heat", "Grid fee reforms: the winners"),
    _plant("asbestregister", "0 0 0 0 0 1 0 1 7", "Asbestregister kommt", "Register für Asbest: Asbestregister startet", "Eigentümer fürchten Asbestregister", "Asbestregisters Kosten unklar"),
    _plant("solarspitzengesetz", "0 0 0 1 0 0 1 2 8", "Solarspitzengesetz bremst Balkonanlagen", "Kritik am Solarspitzengesetz", "Solarspitzengesetz im Bundesrat", "Solarspitzengesetze anderer Länder"),
    _plant("wohnkompakt", "0 0 0 0 0 0 0 0 5", "Wohnkompakt sammelt 80 Millionen ein", "Start-up Wohnkompakt expandiert", "Wohnkompakt übernimmt Konkurrenten", copied=2),
)  # fmt: skip
STEADY = tuple(
    _plant(name.lower(), "11 12 11 10 12 11 12 11 12", f"{name} im Altbau lohnt sich", f"{name}: Tipps für Verwalter", f"Mehr Förderung für {name}", f"{name} im Test", f"Kosten der {name}")
    for name in ("Wärmepumpe", "Glasfaser", "Mieterstrom", "Energieausweis", "Hausverwaltung", "Balkonkraftwerk")
)  # fmt: skip
FALLING = (
    _plant("hochhausbrand", "0 0 0 0 0 0 16 12 4", "Hochhausbrand: Ermittlungen laufen", "Nach dem Hochhausbrand", "Hochhausbrand und die Folgen"),
    _plant("fluthilfe", "0 0 0 2 14 13 10 8 4", "Fluthilfe stockt", "Fluthilfen für Eigentümer", "Streit um Fluthilfe"),
    _plant("zensusdaten", "0 0 0 0 0 3 14 9 3", "Zensusdaten zeigen Leerstand", "Neue Zensusdaten zum Wohnen", "Zensusdaten im Detail"),
)  # fmt: skip
SEASONAL = (
    _plant("tarifrunde", "8 0 0 0 8 0 0 0 8", "Tarifrunde am Bau beginnt", "Tarifrunde: Bauleute fordern mehr", "Tarifrunde am Bau vertagt"),
    _plant("zinsentscheid", "9 0 0 0 9 0 0 0 8", "Zinsentscheid der EZB", "EZB-Zinsentscheid und Baukredite", "Was der Zinsentscheid bedeutet"),
    _plant("baupreisindex", "6 1 0 0 6 0 1 0 6", "Baupreisindex veröffentlicht", "Baupreisindex: Preise am Bau", "Was der Baupreisindex sagt"),
)  # fmt: skip
SYNDICATED = (
    _plant("kaminofenmesse", "0 0 0 0 0 0 0 0 1", "Kaminofenmesse lockt Besucher", copied=7),
    _plant("dübelrekord", "0 0 0 0 0 0 0 0 1", "Heimwerker stellt Dübelrekord auf", copied=6),
)
SPAM = (
    "Casino Bonus ohne Einzahlung",
    "Krypto Signale heute",
    "Casino Bonus sichern",
    "Freispiele Gutschein",
)
SPAM_WORDS = ("casino", "krypto", "freispiele")


Day = list[tuple[str, Document, tuple[str, ...]]]


class Corpus:
    """The news.

    Args:
        seed: of all chance.
        everyday: stories that each outlet tells a day beside the planted ones.
        spam: stories a day of each of the spammer's feeds.
        now: when the last week ends.
        strength: what part of the outlets tell the rising stories in the last week.
        first: number of the first story; corpora of one library need their own.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        everyday: float = 0.7,
        spam: int = 12,
        now: datetime = NOW,
        strength: float = 1.0,
        first: int = 0,
    ) -> None:
        self.random = random.Random(seed)
        self.everyday, self.spam, self.now, self.strength = everyday, spam, now, strength
        self._ids = count(first)

    def days(self, weeks: int = 9) -> Iterator[list[tuple[str, Document, tuple[str, ...]]]]:
        """Each day's stories, the oldest day first: the outlet, what it tells, and who repeats it."""
        planned = self._planned(weeks)
        for day in range(weeks * 7):
            at = self.now - timedelta(days=weeks * 7 - day) + timedelta(hours=1)
            told = [self._everyday(outlet, at) for outlet in OUTLETS for _ in range(self._amount())]
            told += [self._spam(feed, at) for feed in SPAMMER for _ in range(self.spam)]
            told += [self._told(plant, outlet, at, copies) for plant, outlet, copies in planned[day]]
            self.random.shuffle(told)
            yield told

    def _amount(self) -> int:
        whole = int(self.everyday)
        return whole + (self.random.random() < self.everyday - whole)

    def _planned(self, weeks: int) -> list[list[tuple[Plant, str, tuple[str, ...]]]]:
        plan: list[list[tuple[Plant, str, tuple[str, ...]]]] = [[] for _ in range(weeks * 7)]
        for plant in (*RISING, *STEADY, *FALLING, *SEASONAL, *SYNDICATED):
            for week, outlets in enumerate(plant.weeks[-weeks:]):
                if plant in RISING:
                    outlets = math.ceil(outlets * self.strength)  # noqa: PLW2901 - as planned, but weaker
                chosen = self.random.sample(OUTLETS, outlets + plant.copied)
                for outlet in chosen[:outlets]:
                    copies = tuple(chosen[outlets:]) if outlet == chosen[0] else ()
                    plan[week * 7 + self.random.randrange(7)].append((plant, outlet, copies))
        return plan

    def _zipf(self, words: list[str]) -> str:
        return words[min(int(self.random.paretovariate(0.6)) - 1, self.random.randrange(len(words)))].replace(
            "-", " "
        )

    def _filled(self, template: str) -> str:
        return template.format(
            actor=self._zipf(ACTORS), actor2=self._zipf(ACTORS[::-1]), thing=self._zipf(THINGS),
            thing2=self._zipf(THINGS[::-1]), place=self._zipf(PLACES),
        )  # fmt: skip

    def _everyday(self, outlet: str, at: datetime) -> tuple[str, Document, tuple[str, ...]]:
        title = self._filled(self.random.choice(TITLES))
        return outlet, self._document(outlet, title, self._lead(), at), ()

    def _lead(self) -> str:
        return f"{self._filled(self.random.choice(LEADS))} {self._prose()}"

    def _prose(self) -> str:
        return " ".join(self.random.choices(PROSE, k=45)) + "."

    def _spam(self, feed: str, at: datetime) -> tuple[str, Document, tuple[str, ...]]:
        title = f"{self.random.choice(SPAM)} {self._filled('{thing} {place}')}"
        return (
            feed,
            self._document(feed, title, "Jetzt Casino Bonus sichern und Krypto Signale lesen.", at),
            (),
        )

    def _told(
        self, plant: Plant, outlet: str, at: datetime, copies: tuple[str, ...]
    ) -> tuple[str, Document, tuple[str, ...]]:
        title = self.random.choice(plant.titles)
        text = f"That is what the {self._prose()}" if plant.name == "grid fee" else self._lead()
        return outlet, self._document(outlet, title, f"{title}. {text}", at), copies

    def _document(self, outlet: str, title: str, text: str, at: datetime) -> Document:
        number = next(self._ids)
        key = f"{outlet}/{number}"
        at += timedelta(minutes=self.random.randrange(60 * 20))
        return Document(
            source=outlet, source_url=f"https://{key}", title=title, content=text, language="de", domain="SaaS",
            market="Germany", vertical="Proptech", content_hash=content_hash(title, f"{text} {number}", key),
            canonical_url=f"https://{key}", canonical_key=key, published_at=at, fetched_at=at,
        )  # fmt: skip


def store(
    library: Library, told: Iterable[tuple[str, Document, tuple[str, ...]]], market: str = "test"
) -> int:
    """Stores a day as a collection does: one transaction for each outlet. Returns how many stories were told."""
    told = list(told)
    by_outlet: dict[str, list[Document]] = {}
    for outlet, document, copies in told:
        by_outlet.setdefault(outlet, []).append(document)
        for copy in copies:
            by_outlet.setdefault(copy, []).append(
                document.model_copy(
                    update={"source": copy, "canonical_url": f"https://{copy}/{document.canonical_key}"}
                )
            )
    last = max((document.fetched_at for _, document, _ in told), default=NOW)
    for outlet in sorted(by_outlet, key=lambda one: any(one in copies for _, _, copies in told)):
        documents = tuple(by_outlet[outlet])
        source = Source.at(f"https://{outlet}")
        library.store(market, source, Harvest(documents, len(documents), 200, 0.1, 1), now=last)
    return len(told)
