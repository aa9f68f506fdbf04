/* simulate_int.h -- what the files of simulate share. */
#ifndef MR_SIMULATE_INT_H
#define MR_SIMULATE_INT_H

#include "simulate/simulate.h"

/* The words of one nationality.  Lists are separated by '|'.  A last name is front + stem + end, one of each, so that
 * short lists make thousands of names.  In formats: 9 a digit, 1 a digit of 1-9, A a letter, others as they are. */
struct simulate_place {
    const char *nat, *country;
    const char *titles; /* NULL: Mr; Miss, Ms, Mrs */
    const char *men, *women;
    const char *last_fronts, *last_stems, *last_ends;
    const char *cities, *states, *streets;
    const char *postcode; /* a format; of "1" and "9" alone: a JSON integer */
    bool postcode_is_text;
    const char *phone, *cell;
    const char *id_name, *id_value; /* formats; NULL: null */
};

enum { SIMULATE_PLACES = 21 };

extern const struct simulate_place simulate_places_west[7];  /* AU BR CA IE MX NZ US */
extern const struct simulate_place simulate_places_north[7]; /* CH DE DK FI GB NL NO */
extern const struct simulate_place simulate_places_south[7]; /* ES FR IN IR RS TR UA */
/* Place INDEX in the order of nat, 0 … SIMULATE_PLACES - 1. */
const struct simulate_place *simulate_place_at(size_t index);

/* A stream of chance that is the same everywhere. */
struct simulate_chance {
    uint64_t state;
};
struct simulate_chance simulate_chance_of(struct mr_str seed, uint64_t index);
uint64_t simulate_chance_next(struct simulate_chance *chance);
/* 0 … LIMIT - 1 */
uint64_t simulate_chance_below(struct simulate_chance *chance, uint64_t limit);

enum simulate_format { SIMULATE_JSON, SIMULATE_PRETTY, SIMULATE_CSV, SIMULATE_YAML, SIMULATE_XML };

enum { SIMULATE_DEPTH_MAX = 8 };

/* Writes nested fields in one of the formats. */
struct simulate_emit {
    enum simulate_format format;
    struct mr_writer *out;
    int depth;
    bool is_array[SIMULATE_DEPTH_MAX];
    bool has_items[SIMULATE_DEPTH_MAX];
    const char *path[SIMULATE_DEPTH_MAX];
    bool names_only; /* csv: the header row */
};

void simulate_emit_open(struct simulate_emit *emit, const char *key, bool is_array);
void simulate_emit_close(struct simulate_emit *emit);
void simulate_emit_text(struct simulate_emit *emit, const char *key, const char *text); /* NULL: null */
void simulate_emit_int(struct simulate_emit *emit, const char *key, int64_t value);

/* Top-level fields of a person, in the API's order. */
enum simulate_field {
    SIMULATE_GENDER,
    SIMULATE_NAME,
    SIMULATE_LOCATION,
    SIMULATE_EMAIL,
    SIMULATE_LOGIN,
    SIMULATE_DOB,
    SIMULATE_REGISTERED,
    SIMULATE_PHONE,
    SIMULATE_CELL,
    SIMULATE_ID,
    SIMULATE_PICTURE,
    SIMULATE_NAT,
    SIMULATE_FIELDS
};
extern const char *const simulate_field_names[SIMULATE_FIELDS];

struct simulate_wish {
    uint32_t fields;  /* bit a field */
    uint32_t places;  /* bit a place; never 0 */
    int gender;       /* 0 any, 1 male, 2 female */
    char charset[96]; /* of the password; "": a word */
    int password_min, password_max;
};
/* All fields, places, genders. */
void simulate_wish_init(struct simulate_wish *wish);
/* One person as an object under the array or document that is open. */
void simulate_person_emit(struct simulate_emit *emit, struct mr_str seed, uint64_t index,
                          const struct simulate_wish *wish);
/* TEXT in lower-case ASCII letters and digits, as in e-mail addresses; OUT has SIZE bytes. */
void simulate_ascii(const char *text, char *out, size_t size);

#endif
