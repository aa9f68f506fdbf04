/* ascii.c -- names in the letters of an e-mail address: diacritics off, Cyrillic and Persian transliterated. */
#include "simulate/simulate_int.h"

#include <string.h>

/* Groups of letters that become the same ASCII text: "LETTERS", "TEXT", by UTF-8 prefix match. */
static const char *const groups[][2] = {
    { "áàâãäåÁÀÂÃÄÅаАآا", "a" },
    { "бБب", "b" },
    { "çÇčćČĆ", "c" },
    { "цЦ", "ts" },
    { "чЧћЋچ", "ch" },
    { "дДد", "d" },
    { "ђЂџЏ", "dj" },
    { "éèêëÉÈÊËеЕэ", "e" },
    { "єЄ", "ie" },
    { "фФف", "f" },
    { "гГґğĞگ", "g" },
    { "غقق", "gh" },
    { "хХخ", "kh" },
    { "هح", "h" },
    { "íìîïÍÎÏıİиИіІїЇ", "i" },
    { "јЈйЙ", "j" },
    { "جж", "j" },
    { "Жژ", "zh" },
    { "кКک", "k" },
    { "лЛلłŁ", "l" },
    { "љЉ", "lj" },
    { "мМم", "m" },
    { "нНنñÑ", "n" },
    { "њЊ", "nj" },
    { "óòôõöøÓÒÔÕÖØоО", "o" },
    { "œŒ", "oe" },
    { "æÆ", "ae" },
    { "пПپ", "p" },
    { "рРر", "r" },
    { "сСسصثşŞš", "s" },
    { "шШش", "sh" },
    { "щЩ", "shch" },
    { "ß", "ss" },
    { "тТتط", "t" },
    { "úùûüÚÙÛÜуУ", "u" },
    { "вВو", "v" },
    { "ýÿی", "y" },
    { "зЗزذضظžŽ", "z" },
    { "юЮ", "yu" },
    { "яЯ", "ya" },
};

static size_t letter_bytes(const char *text)
{
    unsigned char c = (unsigned char)*text;

    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static const char *letter_ascii(const char *letter, size_t bytes)
{
    for (size_t i = 0; i < MR_COUNT(groups); i++) {
        for (const char *at = groups[i][0]; *at; at += letter_bytes(at)) {
            if (letter_bytes(at) == bytes && memcmp(at, letter, bytes) == 0)
                return groups[i][1];
        }
    }
    return "";
}

void simulate_ascii(const char *text, char *out, size_t size)
{
    size_t used = 0;

    while (*text) {
        size_t bytes = letter_bytes(text);
        char one[2] = { 0 };
        const char *ascii = one;

        if (bytes > strlen(text))
            break;
        if (*text >= 'A' && *text <= 'Z')
            one[0] = (char)(*text | 0x20);
        else if ((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9'))
            one[0] = *text;
        else if (bytes > 1)
            ascii = letter_ascii(text, bytes);
        for (; *ascii && used + 1 < size; ascii++)
            out[used++] = *ascii;
        text += bytes;
    }
    out[used] = '\0';
}
