"""German and English words: which carry no topic, and which forms are one word."""

from __future__ import annotations

from typing import Final

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
"""
_ENGLISH = """
a about above after again against all also am an and any are as at be because been before being below between both
but by can could day days did do does doing down during each ever every few first for from further get gets good had
has have having he her here hers him his how i if in into is it its just last may me might more most much must my new
next no nor not now of off old on once one only or other our out over own per percent please said same says second see
she should so some still such than that the their them then there these they this those three through to too two under
until up us use used using very via was we week weeks were what when where which while who whom why will with within
without would year years you your
"""

STOP_WORDS: Final = frozenset(f"{_GERMAN} {_ENGLISH}".split())

# Alone these name no topic, though "smart building" and "digitaler Zwilling" do.
_GENERAL = """
ai alt anbieter app data daten digital euro firma geld haus home ki kosten kunde markt online portal preis projekt
report smart software stadt start startup studie system test tool umfrage unternehmen verband wohnung
"""
TOO_GENERAL: Final = frozenset(_GENERAL.split())

# Endings of plural and case, the longest first. German and English share most of what matters here.
_ENDINGS = ("ungen", "ern", "en", "er", "es", "em", "e", "n", "s")
_SHORTEST = 5


def stem(word: str) -> str:
    """A form shared by a word's plural and cases: "Wärmepumpen" and "Wärmepumpe" are one.

    It is an identity, not a word. Short words are left as they are.
    """
    folded = word.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= _SHORTEST:
            return folded.removesuffix(ending) + ("ung" if ending == "ungen" else "")
    return folded
