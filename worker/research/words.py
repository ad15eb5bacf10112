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
unternehmen verband verbraucher welt wert winter woche
angriff anschlag antrag bilanz debatte einsatz entscheidung erfolg ermittlung feuer feuerwehr folge frist gefahr gericht geschäft gewinn
hilfe kanzler klage koalition konflikt kritik maßnahme meldung minister mitarbeiter opfer partei pflicht plan polizei präsident prozess
reaktion regel risiko sprecher staat team termin tod tote unfall urteil vergleich verletzte verlust versuch vorstand vorwurf warnung
wirkung wohnung wohnung zahl zeit ziel zukunft
able accept accepting accident accuse accused act action active actor ad adult advice agency agent agree ahead aid air alert
allegation allege alleged allow allowed ally alone amount anger announce announced announcement annual anniversary answer
apartment appear apply approach approve area argue arm army arrest arrested arrival arrive art ask asked attack attempt
attention author authority available average avoid award baby back bad ball ban banned bar base battle beach beat behavior
belief bid bill bird birth black block blocking blood blue board boat body bomb book border born boss boy brain brand break
bridge brief bring broken brother building burn burning business buy call called calling camp campaign candidate car card care
career case cash cast caught cause celebrate center central century challenge chance change channel charge charged chat cheap
check chief child choice church citizen city civil claim claims class clean clear climb close club coach code cold collect
college color comeback comment commit committee common community company compare complain complaint complete concern condemn
condition conference confirm confirmed conflict consider contact content control cool cop copy cost council count country couple
court cover crash create credit crew crime criminal crisis critic critical criticism cross crowd culture cup current customer
cut damage danger dangerous dark data date daughter dead deadly deal death debate debut decide decision deep defeat defend
defense delay delete deliver demand deny department design desk despite detail detected development device died dies diet
different digital dinner direct director disaster discover discussion district doctor document dog dollar door double doubt draw
dream dress drink drive driver drop drug due duty early earn earth easy eat economy edge editor effect effort election emergency
emotional employee employer end enemy enjoy enter entire episode error escape event evidence evil exclusive executive exercise
exit expand expert explain expose extend extra eye face facing fact factory fail failed failure fall family famous fan far farm
fast father favorite fear feature federal feel fellow female festival fight file final finally finish fire fit fix flag flight
floor focus follow food fool foot force foreign form former forward foundation free fresh friend front fuel full fun fund
funding funny future gain gallery game gang garden general generation gift girl global goal gold good government ground group
grow growing growth guard guess guest guide guilty gun guy habit hair half hand happen happy hard hate head health hear hearing
heart heat heavy hero hidden high higher historic history hold hole holiday home honor hope horror hospital host hot hour house
huge human hundred hunt hurt husband idea image impact important improve incident include increase independent industry
influence information injured injury inquiry insider inspire interest international interview introduce investigate
investigation investment invite involve island issue item job join joint journalist joy judge jump justice kid kill killed
killer killing kind king kitchen knock lack lady land language large late launch law lawmaker lawsuit lawyer lead leader leading
league leak learn leave lecture left legal legend lesson letter level lie life light limit line list listen live living local
location logs lose loss lost love lower luck lunch machine magazine main major male man manage manager map march mark market
marriage mass master match matter mayor meal mean media medical meet meeting member membership memory mental mention message
middle military mind minister minor minute mission mistake mix model modern moment mother mountain move moved movement movie
moving murder music mystery name national native nature near network news night noise normal note novel number object offer
office officer official online open operation opinion opponent order original outside overturn owner pack page pain paper parent
part party pass past patient pay payment peace penalty people perfect performance period person personal phone photo pick
picture piece pilot place plane planet platform play player point police policy political politician poll pool poor popular
population positive possible post potential power prayer prepare present president press pressure pretend prevent price pride
prince princess prison private prize probe problem process produce product production professor profit program project promise
promote property protect protecting protest proud prove public publish pull punish push quarter queen question quick quiet quit
race racial radio rail rain raised range rank rare rate reach react reaction real reality reason receive recent record recover
red reduce refuse reject release remain remark remember remove repeat reply report republic request rescue research resident
resign resource respond response restaurant result retire retiring return reveal revealed review revolution rich right risk
river road rock role room round route royal rule ruling safe safety sale save scandal scene schedule scheme school science
scientist score screen sea search season seat secret secretary section secure security seek sell senate senator send senior
sense sentence sentenced separate series serious serve server service session settle sex shape shift ship shock shoot shooter
shooting shop shopping short shot shoulder shut sick side sign signal simple single sister site situation size skill sleep slow
smart smoke social society soldier solution son song sort sound source south space speak special speech speed spend split spot
spring staff stage stand standard star state statement stay steal stock stolen stop store storm story strain strange street
strike strong struggle student study stuff style subject succeed success sudden sue suffer suggest suicide summer supply support
surprise survey survive survivor suspect suspend swim switch system table tale talk tax teach teacher team tear technology teen
teenager television term terrible terrified test theater theory thing think threat threaten thousand ticket tie tip title toilet
tool total touch tough tournament town track trade tradition traffic trailer train training transfer transit travel treat
treatment tree trend trial tribute trick trip trouble truck true trust truth trying twin type unit unite university unlike urge
urges user value van version veteran victim victory video view village violence violent virtual visit visitor voice volunteer
vote voter voting wage wait walk wall war warning waste watch water weak wealth weapon weather website wedding week weekend
weight weird western wet white wide wife wild win winner winning winter wish witness woman wonder wood word work worker world
worry worst worth wrong young youth monday tuesday wednesday thursday friday saturday sunday january february march june july
october december
"""
TOO_GENERAL: Final = frozenset(stem(word) for word in _GENERAL.split())
