/* names_south.c -- words of Spain, France, India, Iran, Serbia, Turkey, Ukraine. */
#include "simulate/simulate_int.h"

#define SPANISH_LAST                                                                                                       \
    "Crespo|Vega|Lozano|Herrero|Cano|Prieto|Méndez|Cruz|Calvo|Gallego|Vidal|León|Márquez|Herrera|Peña|Flores|Cabrera|" \
    "Campos|Fuentes|Carrasco|Diez|Reyes|Caballero|Nieto|Aguilar|Pascual|Santana|Hidalgo|Lorenzo|Giménez"

const struct simulate_place simulate_places_south[7] = {
    { "ES", "Spain", NULL,
      "Antonio|Álvaro|Hugo|Iván|Jesús|José|Manuel|Pablo|Sergio|Adrián|Borja|Cristian|Daniel|Esteban|Ferran|Germán|"
      "Héctor|Ignacio|Jaime|Lorenzo|Mario|Nicolás|Óscar|Raúl|Tomás",
      "Sara|Ángela|Begoña|Carmen|Dolores|Elena|Francisca|Gloria|Irene|Josefa|Lucía|Marta|Nieves|Olga|Pilar|Rocío|Sofía|"
      "Teresa|Victoria|Yolanda|Alba|Blanca|Celia|Emilia|Inés",
      SPANISH_LAST, " ", SPANISH_LAST,
      "Bilbao|Palma de "
      "Mallorca|Gijón|Cáceres|Lérida|Mérida|Orense|Murcia|Alcobendas|Ávila|Cádiz|Santander|Vigo|Elche|Jerez de la "
      "Frontera",
      "Islas Baleares|Asturias|Aragón|Galicia|Navarra|País Vasco|La Rioja|Cataluña|Canarias|Castilla y "
      "León|Extremadura",
      "Calle de Arganzuela|Avenida de La Albufera|Calle Mayor|Paseo del Prado|Calle del Pez|Ronda de Toledo|Calle de "
      "Alcalá|Avenida de Castilla|Calle de Segovia|Calle de la Luna|Paseo de Extremadura|Calle de Ferraz|Calle del "
      "Arenal|Avenida del Planetario|Calle Nebulosas",
      "19999", false, "999-999-999", "699-999-999", "DNI", "99999999-A" },
    { "FR", "France", NULL,
      "Théo|Loïc|Noé|Antoine|Baptiste|Clément|Damien|Étienne|François|Gaël|Hervé|Jérémie|Léandre|Maxence|Noël|Olivier|"
      "Pierrick|Quentin|Rémi|Sébastien|Timéo|Valentin|Xavier|Yanis|Zacharie|Aurélien|Benoît|Cyprien",
      "Chloé|Inès|Lise|Maëlys|Manon|Agathe|Bérénice|Célestine|Dorothée|Élodie|Fanny|Gaëlle|Héloïse|Joséphine|Léonie|"
      "Maud|Noémie|Océane|Pauline|Romane|Solène|Thaïs|Valentine|Yvonne|Zélie|Adèle|Anaïs|Capucine",
      "Le|Beau|Bel|Bon|Mont|Roche|Val|Clair|Fontaine|Grand|Haute|Lau|Mar|Rou|Ville|Cha|De|Du|Saint-|Per",
      "ber|bois|champ|cou|fort|fran|gar|lan|main|mar|mont|neu|pin|rie|ro|sau|tel|ver|vil|vi", "t|d|in|el|eau|ier|on|ot",
      "Nîmes|Lyon|Orléans|Aubervilliers|Besançon|Béziers|Angoulême|Quimper|Saint-Étienne|Évreux|Laval|Pau|Roubaix|Sète|"
      "Vannes",
      "Var|Hérault|Mayotte|Guadeloupe|Corrèze|Drôme|Finistère|Isère|Lozère|Nièvre|Puy-de-Dôme|Sarthe|Yonne",
      "Rue de L'Abbé-Patureau|Rue de L'Abbé-Gillet|Place de la Mairie|Avenue des Tilleuls|Rue du Moulin|Rue "
      "Pasteur|Chemin Vert|Quai Chauveau|Rue des Écoles|Rue Victor-Hugo|Boulevard de la Liberté|Impasse des Lilas|Rue "
      "du Bât-d'Argent|Rue Jean-Jaurès|Place des Fêtes",
      "19999", false, "01-99-99-99-99", "06-99-99-99-99", "INSEE", "1999999999999 99" },
    { "IN", "India", NULL,
      "Arun|Ravi|Dev|Raj|Aditya|Bharat|Chetan|Dinesh|Eshan|Farhan|Gautam|Harish|Ishaan|Jayant|Karthik|Lokesh|Manish|"
      "Naveen|Om|Pranav|Rohan|Sanjay|Tarun|Uday|Vikram|Yash|Anand|Girish",
      "Asha|Diya|Mira|Kavyashri|Ananya|Bhavna|Charu|Deepa|Esha|Gita|Harini|Indira|Jyoti|Kamala|Lakshmi|Meena|Nandini|"
      "Padma|Radha|Sarita|Tara|Uma|Vidya|Yamini|Aarti|Chandra|Leela|Priya",
      "Bha|Cha|De|Ga|Ja|Ka|Ma|Na|Pa|Ra|Sa|Va|Su|Ku|Mu|Shan|Go|Ven|Hari|Ama",
      "ra|la|na|ka|ga|sa|va|ma|ta|dha|ndra|li|ri|bha|shi|tha|nja|mba|ni|da", "n|r|kar|wal|j|pati|swamy|nathan",
      "Pune|Agra|Kochi|Tiruppur|Amroha|Mysore|Nagpur|Surat|Salem|Indore|Jammu|Ranchi|Kota|Bhopal|Udupi",
      "Kerala|Goa|Meghalaya|Chhattisgarh|Punjab|Assam|Sikkim|Gujarat|Tripura|Haryana|Odisha|Bihar",
      "Car St|Sao Tome Old Quarter|Gandhi Road|Station Road|MG Road|Temple Street|Bazar Lane|Nehru Marg|Lake View "
      "Road|Fort Road|Market Street|Tilak Nagar|Hill Road|Residency Road|Mint St",
      "19999", false, "9999999999", "9999999999", "UIDAI", "999999999999" },
    { "IR", "Iran", NULL,
      "ایلیا|علی|محمد|حسین|رضا|امیر|آرمین|بهرام|پارسا|تیمور|جواد|حمید|داریوش|رامین|سامان|شایان|فرهاد|کامران|مهدی|نوید|"
      "یاسین|آرش|بابک|پویا",
      "تارا|آوا|الناز|بهار|پریا|ثنا|درسا|رها|زهرا|ژاله|سارا|شیرین|غزل|فاطمه|کیانا|لیلا|مریم|نازنین|هستی|یلدا|آیدا|بیتا|"
      "پروین|ترانه",
      "جعفر|علی|احمد|رضا|حسین|کریم|محمد|اکبر|امین|بهرام|حیدر|سلطان|صالح|عباس|غلام|فرخ|قاسم|کاظم|مراد|موسو|نجف|یوسف|"
      "رستم|نور|هاشم|سلیم|حمید|ابراهیم|اسماعیل|رحیم|کمال|جلال|ناصر|باقر|صادق|طاهر|عظیم|شریف|وحید|مجید",
      "", "ی|زاده|پور|نیا|نژاد|یان|خانی|وند",
      "ساوه|همدان|تهران|شیراز|اصفهان|تبریز|مشهد|رشت|قم|یزد|کرمان|اراک|اردبیل|بوشهر|سمنان",
      "خراسان جنوبی|گلستان|فارس|گیلان|مازندران|خوزستان|لرستان|مرکزی|هرمزگان|زنجان|کردستان",
      "خرمشهر|نبرد جنوبی|آزادی|انقلاب|ولیعصر|شریعتی|بهشتی|مطهری|فردوسی|سعدی|حافظ|کارگر شمالی|جمهوری|پاسداران|میرداماد",
      "19999", false, "099-99999999", "0999-999-9999", "", NULL },
    { "RS", "Serbia", NULL,
      "Тодор|Никола|Марко|Лазар|Душан|Милош|Стефан|Вук|Богдан|Горан|Дејан|Ђорђе|Жарко|Иван|Јован|Лука|Љубомир|Немања|"
      "Огњен|Петар|Радован|Слободан|Урош|Филип",
      "Виолета|Милица|Јелена|Ана|Весна|Гордана|Даница|Зорица|Ивана|Јасна|Катарина|Љиљана|Марија|Наташа|Олга|Радмила|"
      "Слађана|Тамара|Ђурђа|Невена|Софија|Теодора|Биљана|Драгана",
      "",
      "Баб|Симеон|Петр|Јован|Никол|Марк|Стојан|Милан|Ђорђ|Лазар|Павл|Стефан|Тодор|Илић|Жив|Радос|Милош|Вас|Богд|Гавр|"
      "Дим|Злат|Јанк|Кост|Лук|Мит|Обрад|Рад|Сав|Танас|Урош|Филип|Хаџ|Цвет|Војн|Бранк|Груј|Дамј|Мирк|Недељк",
      "ић|овић|евић|ановић|ковић|ојевић|аковић|иновић",
      "Ада|Пећинци|Ниш|Суботица|Зајечар|Врање|Лозница|Кикинда|Сомбор|Чачак|Ужице|Шабац|Краљево|Ваљево|Нови Сад",
      "Косово-Поморавље|Зајечар|Београд|Мачва|Шумадија|Рашка|Топлица|Пчиња|Јабланица|Браничево|Нишава",
      "Смедеревски Пут|Ибарски Пут|Кнеза Милоша|Булевар Ослобођења|Краља "
      "Петра|Немањина|Дунавска|Карађорђева|Светосавска|Цара Душана|Његошева|Обилићев "
      "Венац|Ресавска|Балканска|Шумадијска",
      "19999", false, "099-9999-999", "069-9999-999", "SID", "999999999" },
    { "TR", "Turkey", NULL,
      "Umut|Ahmet|Barış|Cem|Deniz|Efe|Ferhat|Gökhan|Hakan|İlker|Kerem|Levent|Mehmet|Nihat|Onur|Ömer|Polat|Rıza|Serkan|"
      "Şahin|Tolga|Uğur|Volkan|Yiğit|Çağlar|Alper|Burak",
      "Ülkü|Ayşe|Banu|Ceren|Defne|Elif|Feride|Gül|Hülya|İpek|Jale|Kıymet|Leyla|Melis|Nilüfer|Oya|Özge|Pınar|Rüya|Sevgi|"
      "Şule|Tuğba|Ufuk|Yasemin|Zeynep|Çiğdem|Aslı",
      "",
      "Ak|Alp|Altın|Arı|Ay|Bal|Bay|Boz|Can|Çelik|Çetin|Dağ|Demir|Dem|Doğan|Er|Gök|Gül|Güneş|Kara|Kaya|Kılıç|Kızıl|Koç|"
      "Kork|Kurt|Öz|Özgür|Sarı|Sağ|Şen|Taş|Tek|Tuna|Ulu|Uzun|Yalçın|Yıldız|Yılmaz|Yüksel",
      "er|oğlu|soy|türk|gil|kan|baş|maz",
      "Sinop|Adana|Bursa|İzmir|Kütahya|Muğla|Niğde|Ordu|Rize|Sivas|Uşak|Van|Çorum|Şanlıurfa|Iğdır",
      "Kocaeli|Karaman|Ağrı|Aydın|Bolu|Çankırı|Düzce|Elâzığ|Hatay|Kırşehir|Muş|Tokat",
      "Mevlana Cd|Istiklal Cd|Atatürk Sk|Kushimoto Sk|Vatan Cd|Filistin Cd|Abanoz Sk|Bağdat Cd|Maçka Cd|Tunalı Hilmi "
      "Cd|Necatibey Cd|Barbaros Blv|Kıbrıs Şehitleri Cd|Alemdağ Cd|Anafartalar Cd",
      "19999", false, "(999)-999-9999", "(999)-999-9999", "", NULL },
    { "UA", "Ukraine", NULL,
      "Тарас|Іван|Орест|Андрій|Богдан|Василь|Григорій|Данило|Євген|Зіновій|Ігор|Кирило|Лев|Микола|Назар|Олег|Петро|"
      "Роман|Степан|Федір|Юрій|Ярослав|Щек|Остап",
      "Ольга|Дарина|Ірина|Леся|Анна|Богдана|Віра|Галина|Єва|Злата|Катерина|Любов|Марія|Надія|Оксана|Поліна|Раїса|"
      "Соломія|Тетяна|Уляна|Христина|Юлія|Яна|Мирослава",
      "",
      "Зайч|Коваль|Шевч|Бонд|Ткач|Крав|Олійн|Мельн|Поліщ|Лисен|Марч|Савч|Руд|Петр|Клим|Гонч|Панас|Харч|Сид|Лит|Назар|"
      "Пав|Вас|Давид|Фед|Ром|Іван|Степ|Яц|Кос|Гор|Дяч|Мош|Стец|Тим|Швец|Юр|Бойч|Гриц|Демч",
      "енко|ук|ко|ський|івський|ченко|ак|ишин",
      "Умань|Олевськ|Львів|Канів|Одеса|Полтава|Луцьк|Рівне|Ужгород|Чернівці|Суми|Ніжин|Бровари|Ізмаїл|Мукачево",
      "Черкаська|Київська|Волинська|Львівська|Одеська|Полтавська|Сумська|Харківська|Херсонська|Чернігівська|"
      "Закарпатська",
      "Білоруська|Академіка Романоданова|Хрещатик|Січових Стрільців|Лесі "
      "Українки|Шевченка|Франка|Соборна|Набережна|Грушевського|Вишнева|Садова|Зелена|Польова|Козацька",
      "19999", false, "(069) A99-9999", "(069) A99-9999", "", NULL },
};
