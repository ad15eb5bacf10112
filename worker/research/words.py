"""German and English words: which carry no topic, and which forms are one word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_GERMAN = """
ab aber alle allein allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf
aus bald bei beide beim bereits besser bin bis bisher bist da dabei dadurch dafür dagegen daher damit danach dann
daran darauf darf darum das dass davon davor dazu dein dem den denn der deren des dessen dich die dies diese diesem
diesen dieser dieses dir doch dort drei du durch dürfen eben ein eine einem einen einer eines einfach einig einige
einmal endlich er erneut erst erste ersten erster erstes es etwa etwas euch euer eure fast fünf für ganz gar gegen
gehen geht gemacht genau gibt gilt ging gut guter hab habe haben hat hatte hätte hatten hier hin hinter ich ihm ihn
ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja jahr jahre jahren jede jedem jeden jeder jedes jedoch jetzt
kann kaum kein keine keinem keinen keiner können könnte künftig lassen lässt legt legen macht man mehr mein meine
meist mich millionen mit monat monate muss müssen nach nächste nein neu neue neuem neuen neuer neues nicht nichts
noch nun nur ob oder ohne prozent reicht schon sehr sei sein seine seinem seinen seiner seit selbst setzt sich sie
sind so sogar soll sollen sollte sollten sondern sonst sowie startet statt steigen steigt tag tage tagen trotz über
um und uns unser unsere unter viel viele vier vom von vor wann war waren warum was weg wegen weil weiter welche
welchem welchen welcher welches wenig weniger wenn wer werden werde wie wieder will wir wird wissen wo woche wohl
wollen worden wurde wurden zeigt zeigen zu zum zur zwar zwei zwischen
acht alt alte alten anders brauchen braucht bringen bringt dank davor drohen droht eher einmal erhalten erhält erhöht
erklärt erklären erste fallen fällt finden findet folgen folgt fordert fordern führen führt ganze ganzen geplant
groß große großen großer größte gute guten helfen hilft hoch hohe hohen je kleine kleinen klein kommen kommt kommentar
lange leicht liegen liegt massiv mal neun nimmt nutzen nutzt planen plant prüfen prüft rund schnell sechs sehen sieben
sieht sinken sinkt sorgen sorgt sparen spart später stark stehen steht stellen stellt tun unterwegs verliert vielen
vorerst warnen warnt weitere weiteren wächst zehn ziehen zieht zuerst zurück zuvor überblick interview podcast video
newsletter update lesen artikel beitrag erschien quelle foto bild anzeige sponsored
"""
_ENGLISH = """
a about above after again against all also am an and any are as at be because been before being below between both
but by can could day days did do does doing down during each ever every few first for from further get gets good had
has have having he her here hers him his how i if in into is it its just last may me might more most much must my new
next no nor not now of off old on once one only or other our out over own per percent please said same says second see
she should so some still such than that the their them then there these they this those three through to too two under
until up us use used using very via was we week weeks were what when where which while who whom why will with within
without would year years you your
among amid become becomes becoming big bigger best better come comes coming eight even expected five find finds four
get give gives go goes great hundred big help helps here hits inside keep keeps know latest less likely look looks low
make makes making million billion nine often past plan plans put puts read ready really report reports right rise rises
run runs set sets seven share show shows since six small start starts stay step still take takes ten tell top toward
try turn turns want wants watch way ways yet opinion analysis podcast video newsletter update sponsored
"""

GERMAN: Final = frozenset(_GERMAN.split())
ENGLISH: Final = frozenset(_ENGLISH.split())
STOP_WORDS: Final = GERMAN | ENGLISH

# Endings of plural and case, the longest first. German and English share most of what matters here.
_ENDINGS = ("ungen", "ern", "ies", "en", "er", "em", "e", "n")
_KEPT = {"ungen": "ung", "ies": "y"}
_SHORTEST = 5
# An s after these belongs to the word: Haus, Status, Ausweis, Pass.
_BEFORE_OWN_S = ("s", "u", "i")
_UMLAUT = str.maketrans("äöü", "aou")
_PLURAL = 4  # an umlaut in so many last letters may be a plural's: Pässe, Städte


def stem(word: str) -> str:
    """A form shared by a word's plural and cases: "Wärmepumpen" and "Wärmepumpe", "Pässe" and "Pass" are one.

    It is an identity, not a word. Short words are left as they are.
    """
    folded = word.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").removesuffix("'s")
    if len(folded) > _SHORTEST and folded[-1] == "s" and not folded[:-1].endswith((*_BEFORE_OWN_S, "ie")):
        folded = folded[:-1]
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= _SHORTEST:
            folded = folded.removesuffix(ending) + _KEPT.get(ending, "")
            break
    return folded[:-_PLURAL] + folded[-_PLURAL:].translate(_UMLAUT) if len(folded) >= _SHORTEST else folded


def is_german(words: Iterable[str]) -> bool | None:
    """Whether more of the little words of a text are German than English; None where neither is so."""
    german = english = 0
    for word in words:
        small = word.casefold()
        german += small in GERMAN
        english += small in ENGLISH
    return None if german == english else german > english


# Alone these name no topic, though "smart building" and "digitaler Zwilling" do.
_GENERAL = """
abend ai alter anbieter angebot app arbeit bau bereich bericht branche bund chef daten deutschland digital ende entwicklung
ergebnis euro europa experte fall firma frage frau frühling geld gesetz grund haus hauptstadt herbst häuser idee internet
januar februar märz april mai juni juli august september oktober november dezember kampf ki kosten kunde land lage leben
leute lösung mann markt mensch million minute monat montag dienstag mittwoch donnerstag freitag samstag sonntag morgen
nachfrage netz online partner platz politik portal preis problem projekt prozent rekord regierung report schritt sommer
smart software stadt start startup streit stunde studie system tag technik technologie teil test thema tipp tool trend umfrage
unternehmen verband verbraucher welt wert winter woche wohnung zahl zeit ziel zukunft
business case city company country customer data deal future government group house industry market model month monday
tuesday wednesday thursday friday saturday sunday january february march june july october december people platform
price product project record research service solution study technology tip time user value world work
"""
TOO_GENERAL: Final = frozenset(stem(word) for word in _GENERAL.split())
