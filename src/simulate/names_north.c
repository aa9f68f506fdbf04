/* names_north.c -- words of Switzerland, Germany, Denmark, Finland, Great Britain, the Netherlands, Norway. */
#include "simulate/simulate_int.h"

#define GERMAN_STEMS                                                                                                    \
    "Acker|Alten|Berg|Birn|Brand|Buch|Dorn|Eber|Eich|Falken|Feld|Fried|Groß|Gruben|Hager|Hart|Heid|Hirsch|Hof|Kalten|" \
    "Kirch|Köhl|Lang|Linden|Loh|Mühl|Neu|Ober|Oster|Rosen|Sand|Schön|Stein|Tann|Weiß|Wein|Wester|Winkel|Wolf|Zeller"
#define NORDIC_STEMS                                                                                                   \
    "Ander|Asker|Berg|Bjerk|Brand|Dal|Eng|Fager|Foss|Grøn|Hag|Hau|Hel|Høg|Iver|Kjær|Kirke|Kleiv|Kvist|Lille|Lind|"  \
    "Lund|"                                                                                                            \
    "Mads|Myr|Ny|Nord|Peder|Rød|Ravn|Sand|Sol|Sten|Stor|Sunde|Søder|Tor|Vester|Vind|Øster|Ås"

const struct simulate_place simulate_places_north[7] = {
    { "CH", "Switzerland", "Monsieur|Madame|Mademoiselle|Madame",
      "Fabrizio|Luca|Noé|Jérôme|Beat|Urs|Reto|Andrin|Matteo|Loris|Yann|Gian|Hansruedi|Kilian|Silvan|Nico|Pascal|Rémy|"
      "Sandro|Thierry|Ueli|Valentin|Werner|Yves|Elia|Flurin|Dario|Cédric",
      "Elisabetha|Anouk|Chiara|Désirée|Fabienne|Giulia|Heidi|Ladina|Livia|Mélanie|Nadine|Océane|Priska|Ronja|Seraina|"
      "Tamara|Ursina|Vreni|Zoé|Alizée|Bettina|Corinne|Elin|Flavia|Jael|Ilenia",
      "", GERMAN_STEMS, "berger|mann|egger|er|matter|bühler|hauser|li",
      "Mümliswil-Ramiswil|Valbirse|Delémont|Chur|Thun|Neuchâtel|Zug|Aarau|Sion|Köniz|Wil|Uster|Vevey|Bülach|Lugano",
      "Schaffhausen|Basel-Stadt|Bern|Genève|Graubünden|Jura|Luzern|Neuchâtel|St. Gallen|Ticino|Uri|Valais|Vaud|Zürich",
      "Rue Abel-Hovelacque|Avenue Joliot Curie|Bahnhofstrasse|Rue du Lac|Seestrasse|Chemin des Vignes|Dorfstrasse|Via "
      "Nassa|Rue de l'Église|Kirchgasse|Place du Marché|Rue Centrale|Gartenweg|Rue de la Gare|Hauptstrasse",
      "1999", false, "079 999 99 99", "079 999 99 99", "AVS", "756.9999.9999.99" },
    { "DE", "Germany", NULL,
      "Jörg|Max|Uwe|Dragan|Lukas|Jonas|Finn|Leon|Paul|Emil|Anton|Friedrich|Günther|Heinz|Jürgen|Karsten|Ludwig|"
      "Matthias|Niklas|Otto|Ralf|Sönke|Thorsten|Volker|Wolfgang|Björn|Dirk|Ernst|Götz|Holger",
      "Käte|Anna|Jutta|Jenny|Lena|Mila|Emilia|Frieda|Greta|Hanna|Ida|Johanna|Klara|Lotte|Mathilda|Nele|Ottilie|Pia|"
      "Rosa|Sigrid|Thea|Ute|Wiebke|Annika|Bärbel|Dörte|Elfriede|Gisela|Heike|Ilse",
      "", GERMAN_STEMS, "mann|berger|bach|meier|hofer|er|inger",
      "Köln|Ulm|Fürth|Artern/"
      "Unstrut|Forchheim|Görlitz|Lübeck|Jena|Münster|Würzburg|Passau|Gießen|Trier|Bremen|Nürnberg",
      "Hessen|Bayern|Mecklenburg-Vorpommern|Rheinland-Pfalz|Sachsen|Thüringen|Saarland|Baden-Württemberg|Brandenburg|"
      "Niedersachsen",
      "Ahornweg|Birkenstraße|Hauptstraße|Schulstraße|Gartenstraße|Am "
      "Mühlbach|Lindenallee|Bergstraße|Kirchplatz|Rosenweg|Waldstraße|Ringstraße|Goethestraße|Dorfstraße|Wiesengrund",
      "19999", false, "0999-9999999", "0179-9999999", "SVNR", "99 999999 A 999" },
    { "DK", "Denmark", NULL,
      "Carl|Philip|Magnus|Mikkel|Rasmus|Søren|Jørgen|Lasse|Nikolaj|Oskar|Villads|Anders|Bent|Christoffer|Emil|Frederik|"
      "Gorm|Henrik|Jeppe|Kasper|Laurits|Mads|Niels|Otto|Poul|Sigurd|Thorkild|Valdemar|Øjvind",
      "Freja|Ida|Karla|Laura|Mathilde|Signe|Sofie|Astrid|Birgitte|Clara|Dorthe|Ellen|Filippa|Gry|Hanne|Inger|Josefine|"
      "Kirsten|Liva|Maja|Nanna|Olivia|Pernille|Rikke|Silje|Tilde|Ulla|Vibeke|Åse",
      "", NORDIC_STEMS, "sen|gaard|holm|berg|lund|by|dahl|strup",
      "Nykøbing "
      "Sj.|Skaerbaek|Aarhus|Odense|Ribe|Køge|Hjørring|Randers|Aalborg|Rønne|Vejle|Holbæk|Skive|Næstved|Sønderborg",
      "Midtjylland|Nordjylland|Sjælland|Syddanmark|Hovedstaden|Fyn|Bornholm|Lolland|Falster|Als",
      "Skovgade|Bøgevænget|Strandvejen|Møllevej|Søndergade|Kirkevej|Østergade|Rosenvej|Havnegade|Engvej|Bakkevej|"
      "Vestergade|Lærkevej|Algade|Skolegade",
      "19999", false, "99999999", "99999999", "CPR", "999999-9999" },
    { "FI", "Finland", NULL,
      "Leo|Eino|Onni|Väinö|Elias|Toivo|Niilo|Oskari|Aatu|Eetu|Joona|Kalle|Lauri|Mikko|Olli|Pekka|Risto|Sampo|Tuomas|"
      "Urho|Veikko|Antti|Heikki|Ilmari|Jaakko|Kimmo|Matti|Pentti|Raimo",
      "Pinja|Aino|Helmi|Venla|Lumi|Kerttu|Siiri|Elli|Iida|Kaisa|Lilja|Minttu|Neea|Oona|Päivi|Ritva|Sanni|Tuuli|Ulla|"
      "Vilja|Annika|Eeva|Hilja|Inkeri|Johanna|Katri|Leena|Mirja|Outi",
      "",
      "Aal|Hallo|Haapa|Harju|Heik|Hirvo|Huuh|Jär|Kallio|Karhu|Kasku|Ket|Kiis|Kivi|Koivu|Kor|Kuusi|Laak|Lahti|Lampi|"
      "Leppä|Mäke|Mänty|Nie|Nurmi|Ojala|Pelto|Petä|Pihla|Rauta|Rin|Saari|Salo|Suo|Tammi|Tuomi|Vaara|Virta|Vuori|Yli",
      "nen|la|mäki|niemi|ranta|lä|salmi|saari",
      "Punkalaidun|Kiiminki|Hämeenlinna|Rauma|Oulu|Kuopio|Vaasa|Pori|Kemi|Salo|Mänttä|Jyväskylä|Tornio|Imatra|Kökar",
      "North Karelia|Central Ostrobothnia|Lapland|Kainuu|Pirkanmaa|Satakunta|Uusimaa|Päijät-Häme|Åland|Kymenlaakso",
      "Korkeavuorenkatu|Hämeenkatu|Mannerheimintie|Pispalan "
      "valtatie|Itsenäisyydenkatu|Satakennankatu|Visiokatu|Bulevardi|Aleksanterinkatu|Rantatie|Koskikatu|Esplanadi|"
      "Tehtaankatu|Fredrikinkatu|Siltakatu",
      "19999", false, "09-999-999", "049-999-99-99", "HETU", "999999-999A" },
    { "GB", "United Kingdom", NULL,
      "Harry|Owen|Lewis|George|Alfie|Archie|Arthur|Callum|Duncan|Edward|Freddie|Gareth|Hamish|Ivor|Jamie|Kieran|Lloyd|"
      "Malcolm|Nigel|Oscar|Percy|Rhys|Stanley|Toby|Wilfred|Alistair|Barnaby|Cedric|Desmond|Ewan",
      "Amelia|Evie|Ella|Nicole|Eva|Beatrix|Carys|Daisy|Edith|Florence|Gwen|Harriet|Imogen|Jemima|Kirsty|Lottie|Mabel|"
      "Nell|Olive|Poppy|Rhiannon|Seren|Tilly|Una|Winifred|Agnes|Bronwen|Catriona|Elspeth",
      "",
      "Ash|Black|Brad|Brock|Chad|Clif|Cran|Darl|Ed|El|Feather|Glad|Grim|Hath|Hes|Hud|In|Kes|Lamb|Lin|Long|Mars|Mel|"
      "Nether|New|Pen|Pres|Rad|Rush|Scar|Shep|Skel|Stam|Strat|Thorn|Up|Wad|Wens|Whit|Wy",
      "ley|ton|field|ford|worth|den|ham|stone",
      "Ely|Truro|St Albans|Ripon|Sheffield|Bath|Wells|Durham|Perth|Bangor|Newry|Inverness|Lichfield|Swansea|Oban|York",
      "Kent|Fife|Shropshire|Dorset|Cornwall|Norfolk|Powys|Gwynedd|Antrim|Durham|Highlands and Islands|Rutland",
      "Albert Road|Queensway|High Street|Mill Lane|Station Road|The Green|Church Lane|Victoria Street|Park "
      "Road|Springfield Road|Manor Road|Kings Road|West Street|North Road|The Avenue",
      "AA9 9AA", true, "019 9999 9999", "07199 999999", "NINO", "AA 99 99 99 A" },
    { "NL", "Netherlands", NULL,
      "Joris|Daan|Sem|Wynand|Bram|Cas|Dirk|Evert|Floris|Gijs|Hendrik|Ivo|Jelle|Koen|Lars|Maarten|Niels|Olaf|Pieter|"
      "Ruben|Sjoerd|Thijs|Vincent|Willem|Arjen|Bas|Coen|Freek|Huub|Jurre",
      "Fenna|Lotte|Sanne|Carola|Anouk|Brechtje|Dieke|Elske|Femke|Griet|Hanneke|Iris|Jikke|Kaatje|Liesbeth|Marijke|Noor|"
      "Oda|Pien|Roos|Saskia|Tess|Ursula|Veerle|Wendy|Yfke|Zoë|Annelies|Bente|Doutzen",
      "|van |de |van den |van der |ter ",
      "Vries|Bos|Smit|Berg|Broek|Dijk|Veen|Meer|Heuvel|Linden|Kamp|Horst|Laan|Velde|Molen|Bakker|Visser|Kuiper|Brink|"
      "Haar|Beek|Hoek|Wal|Steen|Zande|Bosch|Kuip|Graaf|Wolde|Poel|Schoot|Weide|Akker|Burg|Zee|Pol|Zwart|Groot|Hout|"
      "Maat",
      "|s", "Urk|Zwolle|Goes|Benschop|Apeldoorn|Delft|Gouda|Breda|Sneek|Hoorn|Venlo|Tiel|Assen|Zutphen|Middelburg",
      "Utrecht|Drenthe|Flevoland|Noord-Brabant|Friesland|Gelderland|Groningen|Limburg|Overijssel|Zeeland|Zuid-Holland",
      "Grasparkiet|Akerkhof|Dorpsstraat|Kerkstraat|Molenweg|Nieuwstraat|Schoolstraat|Beukenlaan|Oude "
      "Gracht|Prinsenhof|Stationsplein|Wilgenlaan|Zandpad|Havenkade|Lindelaan",
      "1999 AA", true, "(099)-999-9999", "(699)-999-9999", "BSN", "99999999" },
    { "NO", "Norway", NULL,
      "Ola|Emilis|Aksel|Bjørn|Eirik|Fredrik|Gaute|Håkon|Ivar|Jostein|Kristian|Lars|Magnus|Nils|Odd|Per|Ragnar|Sigurd|"
      "Tor|Vegard|Øyvind|Åge|Anders|Birger|Einar|Geir|Harald|Knut|Leif|Sverre",
      "Astrid|Berit|Dagny|Eline|Frida|Guro|Hedda|Ingrid|Jorunn|Kari|Live|Marit|Nora|Oda|Ragnhild|Solveig|Tuva|Unni|"
      "Vilde|Ylva|Åshild|Amalie|Bodil|Eldrid|Gunhild|Hilde|Iselin|Kjersti|Liv|Siri",
      "", NORDIC_STEMS, "stad|vik|seth|dal|rud|heim|li|nes",
      "Kjosen|Darbu|Bergen|Tromsø|Ålesund|Bodø|Hamar|Molde|Gjøvik|Narvik|Førde|Arendal|Røros|Halden|Vadsø",
      "Rogaland|Nord-Trøndelag|Troms|Nordland|Telemark|Oppland|Hedmark|Buskerud|Østfold|Vestfold|Møre og Romsdal",
      "Manglerudveien|Opplandgata|Storgata|Kirkeveien|Bjørkeveien|Skogveien|Strandgata|Fjellveien|Sjøgata|Granveien|"
      "Åsveien|Hagegata|Torggata|Elveveien|Nygårdsgata",
      "9999", true, "29999999", "49999999", "FN", "99999999999" },
};
