"""What the driver reads of each fault, and what to do, in German: see faults_en.py.

Plain ASCII, ae for a umlaut, ss for sharp s: the font in the stock image has nothing else.
"""

TABLE = """\
1-1|Kurzschluss in Kabel oder Stecker|Ausstecken, auf Schmutz und Naesse pruefen
1-2|Signal vom Auto nicht sicher|Ausstecken, dann neu einstecken
1-3|Signal zum Auto unklar|Warten oder neu einstecken
1-4|Kabel nicht erkannt|Neu einstecken oder anderes Kabel nehmen
1-5|Auto braucht Belueftung|Bitte woanders laden
1-6|Stecker nicht verriegelt|Eindruecken und warten, oder neu stecken
2-1|Fehlerstrom|Ausstecken. Auto und Kabel pruefen lassen
2-2|DC-Fehlerstrom|Ausstecken. Auto und Kabel pruefen lassen
3-1|Schutzleiter fehlt|Elektriker rufen
3-2|Erdung nicht sicher|Nicht beruehren. Elektriker rufen
4-1|Ladestation ist warm|Laedt langsamer
4-2|Ladestation zu heiss|Warten, es geht abgekuehlt weiter
4-3|Waermefuehler fehlt|Laedt langsam. Betreiber informieren
5-1|Netzspannung zu hoch|Warten, es geht von selbst weiter
5-2|Netzspannung zu niedrig|Warten, es geht von selbst weiter
5-3|Eine Netzphase fehlt|Warten. Bleibt es, Sicherungen pruefen
6-1|Auto zieht mehr als angeboten|Warten oder am Auto weniger einstellen
6-2|Auto zog zu viel Strom|Ausstecken, dann neu einstecken
6-3|Auto hat nicht gestoppt|Ausstecken, dann neu einstecken
7-1|FI-Test nicht bestanden|Aus- und einschalten. Sonst Service rufen
7-2|Innere Stoerung|Ausstecken, aus- und einschalten. Sonst Service rufen
7-3|Strom bleibt an|Stecker nicht anfassen! Sicherung aus, Service rufen
7-4|Strom bleibt aus|Warten. Sonst Service rufen
7-5|Ladestation hat neu gestartet|Warten. Bei Wiederholung Service rufen
7-6|Einstellungen fehlen|Betreiber rufen
7-7|Software ist beschaedigt|Service rufen
8-1|Zaehler antwortet nicht|Laedt langsam. Betreiber informieren
8-2|Zaehler misst nicht richtig|Ausstecken. Betreiber informieren
8-3|Ladedaten nicht gespeichert|Laedt weiter. Betreiber informieren
8-4|Deckel ist offen|Laedt weiter. Betreiber informieren
"""


def words(code):
    """(what is wrong, what to do) for a code, "1-2"."""
    at = TABLE.index(code + "|")
    return TABLE[at : TABLE.index("\n", at)].split("|")[1:]
