/* names_west.c -- words of Australia, Brazil, Canada, Ireland, Mexico, New Zealand, the United States. */
#include "simulate/simulate_int.h"

#define ENGLISH_MEN                                                                                                    \
    "James|Oliver|Jack|Noah|Liam|Ethan|Lucas|Mason|Logan|Henry|Samuel|Owen|Dylan|Caleb|Isaac|Nathan|Adam|Connor|Max|"  \
    "Leo|Aaron|Tyler|Cody|Wade|Ross|Earl|Victor|Warren|Douglas|Felix|Hugo|Seth|Marcus|Troy"
#define ENGLISH_WOMEN                                                                                                  \
    "Emma|Olivia|Ava|Mia|Ella|Grace|Chloe|Zoe|Ruby|Lily|Sophie|Hannah|Amelia|Evie|Isla|Ivy|Alice|Clara|Nora|Hazel|"    \
    "June|Wilma|Tara|Leah|Megan|Naomi|Paige|Rose|Stella|Violet"
#define ENGLISH_STEMS                                                                                                  \
    "Ash|Bar|Brad|Brook|Burn|Carl|Clay|Cole|Dal|East|Fair|Far|Fen|Gar|Green|Hal|Hart|Har|Hol|Hunt|Ken|Lang|Mar|Mid|"   \
    "Nor|Oak|Pem|Ray|Red|Ros|San|Shel|Stan|Stock|Sut|Thorn|Wal|Wake|West|Whit|Win|Wood"
#define ENGLISH_ENDS "ley|ton|field|ford|worth|man|well|by"
#define IBERIAN_LAST                                                                                                            \
    "García|Martínez|López|Sánchez|González|Rodríguez|Fernández|Pérez|Gómez|Ruiz|Díaz|Moreno|Muñoz|Álvarez|Romero|" \
    "Gutiérrez|Navarro|Torres|Domínguez|Vázquez|Ramos|Gil|Serrano|Molina|Castro|Ortiz|Rubio|Marín|Iglesias|Núñez"
#define PORTUGUESE_LAST                                                                                                \
    "Silva|Santos|Oliveira|Souza|Lima|Pereira|Ferreira|Costa|Rodrigues|Almeida|Nascimento|Alves|Carvalho|Araújo|"     \
    "Ribeiro|Gonçalves|Barbosa|Cardoso|Rocha|Dias|Moraes|Mendes|Lopes|Cavalcanti|da Rosa|Caldeira|Moura|Farias|Nunes"

const struct simulate_place simulate_places_west[7] = {
    { "AU", "Australia", NULL, ENGLISH_MEN "|Darren|Bruce|Lachlan", ENGLISH_WOMEN "|Kylie|Matilda|Sienna", "",
      ENGLISH_STEMS, ENGLISH_ENDS,
      "Cairns|Hobart|Perth|Bowral|Darwin|Geelong|Ballarat|Bendigo|Mackay|Orange|Dubbo|Albany|Devonport|Warragul|"
      "Tamworth",
      "Queensland|Tasmania|Victoria|New South Wales|South Australia|Western Australia|Northern Territory|Australian "
      "Capital Territory",
      "Spring Hill Rd|W 6th St|Harbour St|Wattle Ave|Station St|Banksia Ct|Ridge Rd|Kings Way|Bridge St|Beach Rd|Mill "
      "Ln|Queen St|Acacia Dr|Church St|Park Rd",
      "1999", false, "09-9999-9999", "0499-999-999", "TFN", "999999999" },
    { "BR", "Brazil", NULL,
      "João|Caio|Davi|Ismael|Jesualdo|Pedro|Rafael|Thiago|Bruno|Mateus|Lucas|Gustavo|Otávio|Heitor|Murilo|Vicente|"
      "Anselmo|Cauã|Diogo|Enzo|Fábio|Gil|Hélio|Ivo|Júlio",
      "Inês|Luana|Dália|Beatriz|Camila|Júlia|Larissa|Mariana|Rafaela|Sônia|Tainá|Vitória|Yara|Alícia|Bruna|Cecília|"
      "Débora|Elisa|Flávia|Giovana|Helena|Isis|Lívia|Marli|Noêmia",
      PORTUGUESE_LAST, " ", PORTUGUESE_LAST,
      "Recife|Natal|Belém|Teófilo Otoni|Jaboatão dos "
      "Guararapes|Santos|Olinda|Macapá|Maringá|Uberlândia|Caxias|Niterói|Ilhéus|Petrópolis|Palmas",
      "Pará|Bahia|Ceará|Mato Grosso do Sul|Paraná|Goiás|Piauí|Sergipe|Amapá|Rondônia|São Paulo",
      "Rua da Saudade|Rua Santa Rita|Avenida Brasil|Rua das Flores|Travessa dos Ipês|Rua São José|Rua Quinze de "
      "Novembro|Rua Amazonas|Avenida da Praia|Rua do Comércio|Rua Bahia|Rua Castro Alves|Rua Paraná|Rua Bela Vista|Rua "
      "Dom Pedro II",
      "19999", false, "(99) 9999-9999", "(99) 9999-9999", "CPF", "999.999.999-99" },
    { "CA", "Canada", NULL, ENGLISH_MEN "|Théo|Émile|Simon", ENGLISH_WOMEN "|Léa|Maëlle|Noémie", "", ENGLISH_STEMS,
      ENGLISH_ENDS,
      "Odessa|Red Deer|Flatrock|Wellington|Deer "
      "Lake|Hampton|Trois-Rivières|Lévis|Kelowna|Brandon|Halifax|Stratford|Cochrane|Sidney|Gaspé",
      "Ontario|Yukon|Québec|Alberta|Manitoba|British Columbia|Prince Edward Island|Nova Scotia|Saskatchewan|Nunavut",
      "3rd St|West Ave|Maple Ave|King St|Dundas Rd|Rue Principale|Lakeshore Dr|Brock Rd|Victoria Ave|Pine St|College "
      "Ave|Bay St|Concession Rd|Duke St|Elgin St",
      "A9A 9A9", true, "A99 A99-9999", "A99 A99-9999", "SIN", "999999999" },
    { "IE", "Ireland", NULL,
      "Seán|Conor|Eoin|Pádraig|Cian|Oisín|Darragh|Fionn|Rónán|Tadhg|Brendan|Declan|Niall|Cormac|Colm|Diarmuid|Enda|"
      "Fergus|Killian|Lorcan|Rory|Shane|Aidan|Brian|Todd|Donal|Kevin",
      "Aoife|Niamh|Orla|Saoirse|Ciara|Róisín|Siobhán|Áine|Caoimhe|Gráinne|Sinéad|Bríd|Deirdre|Eimear|Fiona|Maeve|Nuala|"
      "Sorcha|Tracey|Una|Clodagh|Eabha|Ríona|Muireann|Bronagh",
      "O'|Mc|Mac||Fitz",
      "Byrne|Daly|Neill|Keane|Connell|Leary|Mahon|Grath|Carthy|Brien|Dowd|Sullivan|Gorman|Keefe|Hara|Rourke|Shea|Toole|"
      "Callaghan|Reilly|Donnell|Flynn|Farrell|Driscoll|Meara|Malley|Quinn|Loughlin|Dermott|Guinness|Manus|Nally|Sheehy|"
      "Kenna|Gann|Hugh|Cabe|Gerald|Simon|Maurice",
      "", "Tralee|Sligo|Ennis|Midleton|Kinsale|Galway|Athlone|Clonmel|Tuam|Navan|Bray|Trim|Youghal|Cobh|Letterkenny",
      "Kerry|Clare|Meath|Waterford|Mayo|Donegal|Wexford|Kilkenny|Louth|Cavan|Wicklow",
      "The Drive|Westmoreland Street|Mill Lane|High Street|Church Road|Patrick Street|The Crescent|Grafton "
      "Street|Henry Street|Pearse Street|Boghall Road|New Road|Main Street|Castle Street|Quay Street",
      "A99 A9A9", true, "099-999-9999", "081-999-9999", "PPS", "9999999T" },
    { "MX", "Mexico", NULL,
      "Abraham|Emiliano|Santiago|Mateo|Diego|Leonardo|Ángel|Gael|Iker|Bruno|Ramiro|Saúl|Tomás|Ulises|Joaquín|Óscar|"
      "Rubén|César|Adán|Benito|Damián|Efraín|Fermín|Gonzalo|Humberto",
      "Esmeralda|Ximena|Regina|Valeria|Renata|Camila|Fátima|Jimena|Itzel|Lucero|Abril|Perla|Rocío|Yolanda|Aurora|"
      "Brenda|Citlali|Dulce|Elvira|Frida|Graciela|Inés|Julieta|Lorena|Maite",
      IBERIAN_LAST, " ", IBERIAN_LAST,
      "Mérida|Oaxaca|Puebla|León|Durango|Tepic|Colima|Toluca|Xalapa|Celaya|Tampico|Saltillo|Uruapan|Zacatecas|Cancún",
      "Guerrero|Estado de Mexico|Jalisco|Sonora|Chiapas|Yucatán|Nuevo León|Michoacán|Querétaro|Sinaloa|Hidalgo",
      "Peatonal Eslovenia|Continuación Yucatán|Calle Hidalgo|Avenida Juárez|Privada Morelos|Calzada Norte|Circuito "
      "Sur|Boulevard Central|Andador Nogal|Cerrada Olmo|Avenida Reforma|Calle Cinco de Mayo|Callejón Real|Prolongación "
      "Sol|Retorno Luna",
      "19999", false, "(699) 999 9999", "(699) 999 9999", "NSS", "99 99 99 9999 9" },
    { "NZ", "New Zealand", NULL, ENGLISH_MEN "|Tane|Nikau|Wiremu", ENGLISH_WOMEN "|Aroha|Anahera|Mereana", "",
      ENGLISH_STEMS, ENGLISH_ENDS,
      "Auckland|Taupo|Napier|Nelson|Whangarei|Gisborne|Timaru|Wanaka|Hamilton|Porirua|Dunedin|Rotorua|Levin|Masterton|"
      "Blenheim",
      "Southland|Nelson|Otago|Waikato|Northland|Taranaki|Canterbury|Marlborough|West Coast|Hawke's Bay",
      "Aldwins Road|Ahuriri Bypass|Queen Street|Manukau Road|Great North Road|Lake Terrace|Kiwi Street|Rata "
      "Avenue|Beach Haven Road|Totara Lane|Durham Street|Hill Road|Main North Road|Bridle Path|Fern Crescent",
      "19999", false, "(999)-999-9999", "(999)-999-9999", "", NULL },
    { "US", "United States", NULL, ENGLISH_MEN "|Wyatt|Hudson|Jayden", ENGLISH_WOMEN "|Avery|Harper|Melanie", "",
      ENGLISH_STEMS, ENGLISH_ENDS,
      "Boise|Mesa|Reno|Chandler|Tacoma|Tulsa|Fargo|Akron|Salem|Eugene|Waco|Macon|Dayton|Peoria|Laredo|Duluth",
      "Idaho|Ohio|Maine|Utah|Texas|Rhode Island|Minnesota|Nevada|Oregon|Vermont|Alaska|Georgia|Kansas",
      "Oak Lawn Ave|Fairview St|Elm Dr|Main St|Lone Wolf Trail|Cherry Ln|Hickory Creek Dr|Railroad St|Sunset "
      "Blvd|Mockingbird Hill|Adams St|Washington Ave|Ridge Rd|Valley View Ln|Depot St",
      "19999", false, "(999) 999-9999", "(999) 999-9999", "SSN", "999-99-9999" },
};
