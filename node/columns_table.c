/* LinkedIn: "Connections.csv" of the data archive. Google: contacts.csv until 2023 ("Given Name",
 * "E-mail 1 - Type") and since ("First Name", "E-mail 1 - Label"). Outlook: its 92 English columns.
 * The rest is what people call columns in tables of their own. */
#include "node/columns_table.h"

#include <string.h>

#include "node/columns.h"
#include "proto/contact.h"

#define OUTLOOK (1u << COLUMNS_OUTLOOK)
#define PLAIN (1u << COLUMNS_PLAIN)
#define NOT_GOOGLE (1u << COLUMNS_PLAIN | 1u << COLUMNS_LINKEDIN | 1u << COLUMNS_OUTLOOK)
#define NOT_OUTLOOK (1u << COLUMNS_PLAIN | 1u << COLUMNS_LINKEDIN | 1u << COLUMNS_GOOGLE)

#define FIELD(name, field)                                                                         \
    {                                                                                              \
        name, 0, COLUMNS_FIELD, field, 0, NULL                                                     \
    }
#define PART(name, part)                                                                           \
    {                                                                                              \
        name, 0, COLUMNS_NAME_PART, part, 0, NULL                                                  \
    }
#define PHONE(name, label)                                                                         \
    {                                                                                              \
        name, 0, COLUMNS_PHONE, CONTACT_PHONES, 0, label                                           \
    }
#define ADR(name, part, slot, label)                                                               \
    {                                                                                              \
        name, 0, COLUMNS_ADR, part, slot, label                                                    \
    }
#define OF(name, what, part)                                                                       \
    {                                                                                              \
        name, 0, what, part, 0, NULL                                                               \
    }
#define PROPERTY(name, property)                                                                   \
    {                                                                                              \
        name, 0, COLUMNS_PROPERTY, 0, 0, property                                                  \
    }

enum { FAMILY, GIVEN, MIDDLE, PREFIX, SUFFIX };
enum { BOX, EXTENDED, STREET, LOCALITY, REGION, CODE, COUNTRY, STREET_2, STREET_3 };

static const struct columns_name columns_names[] = {
    FIELD("name", CONTACT_NAME),
    FIELD("full name", CONTACT_NAME),
    FIELD("display name", CONTACT_NAME),
    FIELD("contact name", CONTACT_NAME),
    FIELD("contact", CONTACT_NAME),
    PART("first name", GIVEN),
    PART("firstname", GIVEN),
    PART("given name", GIVEN),
    PART("forename", GIVEN),
    PART("vorname", GIVEN),
    PART("prenom", GIVEN),
    PART("last name", FAMILY),
    PART("lastname", FAMILY),
    PART("family name", FAMILY),
    PART("surname", FAMILY),
    PART("nachname", FAMILY),
    PART("nom", FAMILY),
    PART("middle name", MIDDLE),
    PART("additional name", MIDDLE),
    PART("name prefix", PREFIX),
    PART("prefix", PREFIX),
    PART("name suffix", SUFFIX),
    PART("suffix", SUFFIX),
    {"title", OUTLOOK, COLUMNS_NAME_PART, PREFIX, 0, NULL},
    {"title", NOT_OUTLOOK, COLUMNS_FIELD, CONTACT_TITLE, 0, NULL},
    FIELD("job title", CONTACT_TITLE),
    FIELD("position", CONTACT_TITLE),
    FIELD("role", CONTACT_TITLE),
    FIELD("organization title", CONTACT_TITLE),
    FIELD("organization # - title", CONTACT_TITLE),
    OF("organization", COLUMNS_ORG, 0),
    OF("organisation", COLUMNS_ORG, 0),
    OF("org", COLUMNS_ORG, 0),
    OF("company", COLUMNS_ORG, 0),
    OF("company name", COLUMNS_ORG, 0),
    OF("employer", COLUMNS_ORG, 0),
    OF("firma", COLUMNS_ORG, 0),
    OF("societe", COLUMNS_ORG, 0),
    OF("organization name", COLUMNS_ORG, 0),
    OF("organization # - name", COLUMNS_ORG, 0),
    OF("department", COLUMNS_DEPARTMENT, 0),
    OF("organization department", COLUMNS_DEPARTMENT, 0),
    OF("organization # - department", COLUMNS_DEPARTMENT, 0),
    FIELD("place", CONTACT_PLACE),
    {"location", PLAIN, COLUMNS_FIELD, CONTACT_PLACE, 0, NULL},
    FIELD("note", CONTACT_NOTE),
    FIELD("notes", CONTACT_NOTE),
    FIELD("comment", CONTACT_NOTE),
    FIELD("comments", CONTACT_NOTE),
    FIELD("met", CONTACT_MET),
    FIELD("how we met", CONTACT_MET),
    FIELD("uid", CONTACT_UID),
    OF("kind", COLUMNS_KIND, 0),
    OF("extra", COLUMNS_EXTRA, 0),
    {"photo", 0, COLUMNS_PHOTO, 0, 0, NULL},
    OF("tag", COLUMNS_TAGS, 0),
    OF("tags", COLUMNS_TAGS, 0),
    OF("labels", COLUMNS_TAGS, 0),
    OF("groups", COLUMNS_TAGS, 0),
    OF("group membership", COLUMNS_TAGS, 0),
    OF("categories", COLUMNS_TAGS, 0),
    OF("category", COLUMNS_TAGS, 0),
    OF("email", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("e-mail", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("mail", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("emails", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("email address", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("e-mail address", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("e-mail-adresse", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("email #", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("e-mail #", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("e-mail # address", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("email # - value", COLUMNS_EMAIL, CONTACT_EMAILS),
    OF("e-mail # - value", COLUMNS_EMAIL, CONTACT_EMAILS),
    {"work email", 0, COLUMNS_EMAIL, CONTACT_EMAILS, 0, "work"},
    {"home email", 0, COLUMNS_EMAIL, CONTACT_EMAILS, 0, "home"},
    {"personal email", 0, COLUMNS_EMAIL, CONTACT_EMAILS, 0, "home"},
    OF("e-mail # - type", COLUMNS_VALUE_LABEL, CONTACT_EMAILS),
    OF("e-mail # - label", COLUMNS_VALUE_LABEL, CONTACT_EMAILS),
    PHONE("phone", NULL),
    PHONE("phones", NULL),
    PHONE("telephone", NULL),
    PHONE("tel", NULL),
    PHONE("telefon", NULL),
    PHONE("phone number", NULL),
    PHONE("phone #", NULL),
    PHONE("phone # - value", NULL),
    PHONE("mobile", "mobile"),
    PHONE("mobile phone", "mobile"),
    PHONE("cell", "cell"),
    PHONE("cell phone", "cell"),
    PHONE("home phone", "home"),
    PHONE("home phone #", "home"),
    PHONE("business phone", "work"),
    PHONE("business phone #", "work"),
    PHONE("work phone", "work"),
    PHONE("home fax", "home fax"),
    PHONE("business fax", "work fax"),
    PHONE("other fax", "other fax"),
    PHONE("fax", "fax"),
    PHONE("other phone", "other"),
    PHONE("pager", "pager"),
    PHONE("car phone", "car"),
    PHONE("company main phone", "main"),
    PHONE("primary phone", "primary"),
    PHONE("assistant's phone", "assistant"),
    PHONE("callback", "callback"),
    PHONE("isdn", "ISDN"),
    PHONE("radio phone", "radio"),
    PHONE("tty/tdd phone", "TTY/TDD"),
    PHONE("telex", "telex"),
    OF("phone # - type", COLUMNS_VALUE_LABEL, CONTACT_PHONES),
    OF("phone # - label", COLUMNS_VALUE_LABEL, CONTACT_PHONES),
    OF("url", COLUMNS_URL, CONTACT_URLS),
    OF("urls", COLUMNS_URL, CONTACT_URLS),
    OF("website", COLUMNS_URL, CONTACT_URLS),
    OF("web page", COLUMNS_URL, CONTACT_URLS),
    OF("homepage", COLUMNS_URL, CONTACT_URLS),
    OF("profile", COLUMNS_URL, CONTACT_URLS),
    OF("profile url", COLUMNS_URL, CONTACT_URLS),
    OF("linkedin", COLUMNS_URL, CONTACT_URLS),
    OF("linkedin url", COLUMNS_URL, CONTACT_URLS),
    OF("website #", COLUMNS_URL, CONTACT_URLS),
    OF("website # - value", COLUMNS_URL, CONTACT_URLS),
    OF("website # - type", COLUMNS_VALUE_LABEL, CONTACT_URLS),
    OF("website # - label", COLUMNS_VALUE_LABEL, CONTACT_URLS),
    ADR("address # - po box", BOX, 0, NULL),
    ADR("address # - extended address", EXTENDED, 0, NULL),
    ADR("address # - street", STREET, 0, NULL),
    ADR("address # - city", LOCALITY, 0, NULL),
    ADR("address # - region", REGION, 0, NULL),
    ADR("address # - postal code", CODE, 0, NULL),
    ADR("address # - country", COUNTRY, 0, NULL),
    OF("address # - formatted", COLUMNS_ADR_FORMATTED, 0),
    OF("address # - type", COLUMNS_ADR_LABEL, 0),
    OF("address # - label", COLUMNS_ADR_LABEL, 0),
    ADR("business address po box", BOX, 1, "work"),
    ADR("business street", STREET, 1, "work"),
    ADR("business street 2", STREET_2, 1, "work"),
    ADR("business street 3", STREET_3, 1, "work"),
    ADR("business city", LOCALITY, 1, "work"),
    ADR("business state", REGION, 1, "work"),
    ADR("business postal code", CODE, 1, "work"),
    ADR("business country/region", COUNTRY, 1, "work"),
    ADR("business country", COUNTRY, 1, "work"),
    ADR("home address po box", BOX, 2, "home"),
    ADR("home street", STREET, 2, "home"),
    ADR("home street 2", STREET_2, 2, "home"),
    ADR("home street 3", STREET_3, 2, "home"),
    ADR("home city", LOCALITY, 2, "home"),
    ADR("home state", REGION, 2, "home"),
    ADR("home postal code", CODE, 2, "home"),
    ADR("home country/region", COUNTRY, 2, "home"),
    ADR("home country", COUNTRY, 2, "home"),
    ADR("other address po box", BOX, 3, "other"),
    ADR("other street", STREET, 3, "other"),
    ADR("other street 2", STREET_2, 3, "other"),
    ADR("other street 3", STREET_3, 3, "other"),
    ADR("other city", LOCALITY, 3, "other"),
    ADR("other state", REGION, 3, "other"),
    ADR("other postal code", CODE, 3, "other"),
    ADR("other country/region", COUNTRY, 3, "other"),
    ADR("other country", COUNTRY, 3, "other"),
    ADR("street", STREET, 1, NULL),
    ADR("street address", STREET, 1, NULL),
    ADR("city", LOCALITY, 1, NULL),
    ADR("town", LOCALITY, 1, NULL),
    ADR("ort", LOCALITY, 1, NULL),
    ADR("state", REGION, 1, NULL),
    ADR("region", REGION, 1, NULL),
    ADR("zip", CODE, 1, NULL),
    ADR("zip code", CODE, 1, NULL),
    ADR("postal code", CODE, 1, NULL),
    ADR("postcode", CODE, 1, NULL),
    ADR("country", COUNTRY, 1, NULL),
    {"address", 0, COLUMNS_ADR_FORMATTED, 0, 1, NULL},
    PROPERTY("nickname", "NICKNAME"),
    PROPERTY("birthday", "BDAY"),
    PROPERTY("date of birth", "BDAY"),
    PROPERTY("anniversary", "ANNIVERSARY"),
    PROPERTY("profession", "ROLE"),
    PROPERTY("spouse", "X-SPOUSE"),
    PROPERTY("manager's name", "X-MANAGER"),
    PROPERTY("assistant's name", "X-ASSISTANT"),
    PROPERTY("phonetic first name", "X-PHONETIC-FIRST-NAME"),
    PROPERTY("phonetic last name", "X-PHONETIC-LAST-NAME"),
    PROPERTY("given name yomi", "X-PHONETIC-FIRST-NAME"),
    PROPERTY("family name yomi", "X-PHONETIC-LAST-NAME"),
    {"connected on", 0, COLUMNS_CONNECTED, 0, 0, NULL},
    {"e-mail type", OUTLOOK, COLUMNS_SKIP, 0, 0, NULL},
    {"e-mail # type", OUTLOOK, COLUMNS_SKIP, 0, 0, NULL},
    {"e-mail display name", OUTLOOK, COLUMNS_SKIP, 0, 0, NULL},
    {"e-mail # display name", OUTLOOK, COLUMNS_SKIP, 0, 0, NULL},
    {"initials", OUTLOOK, COLUMNS_SKIP, 0, 0, NULL},
};

const struct columns_name *columns_table_find(const char *folded, unsigned format)
{
    for (size_t at = 0; at < sizeof columns_names / sizeof columns_names[0]; at++)
        if (strcmp(columns_names[at].name, folded) == 0 &&
            (columns_names[at].formats == 0 || (columns_names[at].formats >> format & 1) != 0))
            return &columns_names[at];
    return NULL;
}
