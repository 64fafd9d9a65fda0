"""vCards of real exporters: every file has its people written down here, as somebody reads them in
the file. "note" and the like may be a pair: how it begins and how it ends."""
import os

from kithtest import DATA, Skip, run

N, KANJI = "\u00d1", "\u5341\u57ce\u76ee\u7ba1\u7406\u5927\u578b\u77e5\u5ea7"
ANDO = "\u5b89\u85e4"
LICENCE = ("THIS SOFTWARE IS PROVIDED BY ", "THE POSSIBILITY OF SUCH DAMAGE.")
DAWSON = {"name": "Frank Dawson", "org": "Lotus Development Corporation",
          "place": "Raleigh, NC, U.S.A.", "urls": ["http://home.earthlink.net/~fdawson"],
          "phones": ["+1-919-676-9515", "+1-919-676-9564"],
          "emails": ["Frank_Dawson@Lotus.com", "fdawson@earthlink.net"],
          "labels": {"+1-919-676-9515": "work", "+1-919-676-9564": "work fax"}}
PERREAULT = {"name": "Simon Perreault", "org": "Viagenie", "place": "Quebec, QC, Canada",
             "phones": ["+1-418-656-9254;ext=102", "+1-418-262-6501"],
             "emails": ["simon.perreault@viagenie.ca"], "urls": ["http://nomis80.org"],
             "labels": {"+1-418-656-9254;ext=102": "work", "+1-418-262-6501": "work cell",
                        "simon.perreault@viagenie.ca": "work", "http://nomis80.org": "home"}}


def one(name, email=None, phone=None, label=None, email_label=None, **more):
    """Somebody with at most one e-mail and one phone."""
    person = {"name": name, **more}
    labels = {}
    if email:
        person["emails"] = [email]
        labels.update({email: email_label} if email_label else {})
    if phone:
        person["phones"] = [phone]
        labels.update({phone: label} if label else {})
    if labels:
        person["labels"] = labels
    return person


# file: its people; a number after them: so many cards that say nobody
VCARDS = {
    "android/v21_adr_multiple_line.vcf": [
        one("bogus", urls=["http://bogus.com/"], place="Hamburg, Deutschland")],
    "android/v21_android_custom_prop.vcf": [1],
    "android/v21_base64_no_2_crlf.vcf": [one("fullname")],
    "android/v21_blackberry_photo.vcf": [
        {"name": "boogie", "phones": ["+5555555", "+5555556"],
         "emails": ["forrestgump@walladalla.com"],
         "labels": {"+5555555": "work", "+5555556": "cell"}}],
    "android/v21_im.vcf": [1],
    "android/v21_invalid_comment_line.vcf": [
        one("Conference Call", note="This is an (sharp ->#<- sharp) example. This message must "
                                    "NOT be ignored.")],
    "android/v21_japanese_1.vcf": [one(ANDO + "\u30ed\u30a4\u30c9", phone="0300000000")],
    "android/v21_japanese_2.vcf": [
        one(ANDO + " \u30ed\u30a4\u30c9 1", note="\u30e1\u30e2")],
    "android/v21_malformed_photo.vcf": [one("fullname")],
    "android/v21_multiple_entry.vcf": [
        {"name": ANDO + "\u30ed\u30a4\u30c93", "phones": ["9", "10", "11", "12"],
         "labels": {"12": "home fax"}},
        {"name": ANDO + "\u30ed\u30a4\u30c94", "phones": ["13", "14", "15", "16"],
         "labels": {"14": "pager"}},
        {"name": ANDO + "\u30ed\u30a4\u30c95", "phones": ["17", "18", "19", "20"]}],
    "android/v21_org_before_title.vcf": [
        one("Normal Guy", org="Company, Organization, Devision, Room, Sheet No.",
            title="Excellent Janitor")],
    "android/v21_pref_handling.vcf": [
        {"name": "Smith", "phones": ["1", "2", "3"], "org": "Company", "title": "Engineer",
         "emails": ["test@example.com", "test2@examination.com"],
         "labels": {"1": "home", "2": "work", "test@example.com": "home",
                    "test2@examination.com": "cell"}}],
    "android/v21_simple_2.vcf": [one("Ando Roid")],
    "android/v21_simple_3.vcf": [one("Ando Roid")],
    "android/v21_title_before_org.vcf": [
        one("Nice Guy", title="Cool Title", org="Marverous, Perfect, Great, Good, Bad, Poor")],
    "android/v21_winmo_65.vcf": [one("Example")],
    "android/v21_x_param.vcf": [
        {"name": "Roid Ando", "phones": ["1", "2"],
         "emails": ["email@example.com", "email2@example.com"]}],
    "android/v30_comma_separated.vcf": [one("G M F", phone="1")],
    "android/v30_japanese.vcf": [one("\u4f0a\u80fd \u572d\u4e00 \u4f0a\u4e88")],
    "android/v30_multibyte_param.vcf": [one("G M F", phone="1")],
    "android/v30_pause_wait.vcf": [one("Pause Wait", phone="p1234p5678w9")],
    "android/v30_simple.vcf": [
        one("And Roid", phone="0300000000", org="Open, Handset, Alliance")],
    "android/v40_sip.vcf": [
        {"name": ANDO + " \u30ed\u30a4\u30c9", "phones": ["1", "sip:example@example.com"],
         "labels": {"1": "home", "sip:example@example.com": "home"}}],
    "android/v40_sort_as.vcf": [
        one(ANDO + " \u30ed\u30a4\u30c9",
            org="\u30b0\u30fc\u30b0\u30eb, \u691c\u7d22\u90e8\u9580")],
    "evolution-data-server/1.vcf": [DAWSON],
    "evolution-data-server/11.vcf": [one("Invalid AttributeParam")],
    "evolution-data-server/13.vcf": [
        {"name": "Ralf Engels", "org": "Ralf Engels evil tests",
         "place": "Semicolon;way, NC, U.S.A.",
         "phones": ["+1-919-676-9515", "+1-919-676-9564"],
         "emails": ["Frank_Dawson@Lotus.com", "semicolon;@points.net"],
         "urls": ["http://home%32%20.earthlink.net/~fdawson"],
         "labels": {"+1-919-676-9515": "work", "+1-919-676-9564": "work fax"}}],
    "evolution-data-server/4.vcf": [one("canada address", place="Newmarket, ON, Canada")],
    "evolution-data-server/5.vcf": [
        one(KANJI, "weird@weird.com", KANJI, "work", org=KANJI, title=KANJI, place=None)],
    "evolution-data-server/7.vcf": [DAWSON],
    "evolution-data-server/8.vcf": [DAWSON],
    "evolution-data-server/custom-1.vcf": [
        one("Micheal Jackson", "micheal@jackson.com", "+1-221-5423789", "home", "home work")],
    "evolution-data-server/custom-10.vcf": [
        one("Jim Morrison", "jim@morrison.com", "1 800 ELEPHANT", "home", "home work")],
    "evolution-data-server/custom-12.vcf": [
        one("Lindsey Stirling", "lindsey@stirling.com", "1.800 E L E P H A N T", "home",
            "home work")],
    "evolution-data-server/custom-13.vcf": [
        one("Eddie Murphey", "eddie@murphey.usa", "408 765-5050", "home", "home work")],
    "evolution-data-server/custom-15.vcf": [
        one("Alister Crawley", "777@starry.sect", "+49 408 765-5050", "home", "home work")],
    "evolution-data-server/custom-2.vcf": [
        {"name": "Janet Jackson", "phones": ["7654321"], "labels": {"7654321": "home"},
         "emails": ["janet@jackson.com", "janny@jackson.com"]}],
    "evolution-data-server/custom-4.vcf": [
        one("Big Bobby Brown", "big.bobby@brown.org", "+9999999", "work")],
    "evolution-data-server/custom-5.vcf": [
        one("James Brown", "james@brown.com", "+6666666", "home", "home work")],
    "evolution-data-server/custom-7.vcf": [one("Purple Goose", None, "+49-89-7888 99", "home")],
    "evolution-data-server/custom-8.vcf": [
        one("Purple Pony", "purple@pony.com", "+31-221-5423789", "home", "home work")],
    "evolution-data-server/file-as-1.vcf": [one("AgivenX Family")],
    "evolution-data-server/file-as-2.vcf": [one("AndyX B")],
    "evolution-data-server/file-as-4.vcf": [one("Lost Case")],
    "evolution-data-server/file-as-5.vcf": [one("LastX Man")],
    "evolution-data-server/name-only.vcf": [one("John Doe")],
    "evolution-data-server/photo-1.vcf": [one("photo", "photo@no.where", email_label="work")],
    "evolution-data-server/simple-2.vcf": [one("Baz Qux", "baz.qux@example.com")],
    "ez-vcard/John_Doe_ANDROID.vcf": [
        one("john.doe@company.com", "john.doe@company.com", tags=["My Contacts"]),
        one("jane.doe@company.com", "jane.doe@company.com", tags=["My Contacts"]),
        one(" ".join(N * 5), None, "123456789", "cell", tags=["My Contacts"]),
        {"name": " ".join(N * 11), "phones": ["123456", "234567", "3456789", "45678901"],
         "tags": ["My Contacts"], "note": (" ".join(N * 5), " ".join(N * 5)),
         "labels": {"123456": "cell", "234567": "home", "3456789": "cell", "45678901": "home"}},
        {"name": " ".join(N * 4), "org": N * 12, "phones": ["123456"],
         "emails": ["bob@company.com", N * 14],
         "urls": ["www.company.com", "http://www.company.com"],
         "labels": {"123456": "cell", "bob@company.com": "work"}},
        one(N * 4, "henry@company.com", "55556666", "cell", org=N * 44, tags=["My Contacts"])],
    "ez-vcard/John_Doe_EVOLUTION.vcf": [
        {"name": "Mr. John Richter, James Doe Sr.", "org": "IBM, Accounting, Dungeon",
         "title": "Money Counter", "tags": ["VIP"], "note": LICENCE,
         "emails": ["john.doe@ibm.com"], "phones": ["905-666-1234", "905-555-1234"],
         "urls": ["http://www.ibm.com"], "place": "Albaney, New York, United States of America",
         "labels": {"905-666-1234": "cell", "905-555-1234": "work",
                    "john.doe@ibm.com": "work"}}],
    "ez-vcard/John_Doe_GMAIL.vcf": [
        {"name": "Mr. John Richter, James Doe Sr.", "org": "IBM", "title": "Money Counter",
         "emails": ["john.doe@ibm.com"], "phones": ["905-555-1234", "905-666-1234"],
         "urls": ["http://www.ibm.com"],
         "note": (LICENCE[0], LICENCE[1] + "\nFavotire Color: Blue"),
         "labels": {"john.doe@ibm.com": "home", "905-555-1234": "cell", "905-666-1234": "home",
                    "http://www.ibm.com": "work"}}],
    "ez-vcard/John_Doe_IPHONE.vcf": [
        {"name": "Mr. John Richter James Doe Sr.", "org": "IBM, Accounting",
         "title": "Money Counter", "emails": ["john.doe@ibm.com"],
         "phones": [f"905-{n}-1234" for n in (555, 666, 777, 888, 999, 111, 222)],
         "urls": ["http://www.ibm.com"], "place": "New York, New York, United States of America",
         "labels": {"905-555-1234": "cell", "905-666-1234": "home", "905-777-1234": "work",
                    "905-888-1234": "home fax", "905-999-1234": "work fax",
                    "905-111-1234": "pager", "905-222-1234": "AssistantPhone",
                    "http://www.ibm.com": "HomePage"}}],
    "ez-vcard/John_Doe_MS_OUTLOOK.vcf": [
        {"name": "Mr. John Richter James Doe Sr.", "org": "IBM, Accounting",
         "title": "Money Counter", "note": LICENCE, "emails": ["john.doe@ibm.cm"],
         "phones": ["(905) 555-1234", "(905) 666-1234"], "urls": ["http://www.ibm.com"],
         "place": "Albaney, New York, United States of America",
         "labels": {"(905) 555-1234": "work", "(905) 666-1234": "home",
                    "http://www.ibm.com": "work"}}],
    "ez-vcard/gmail-list.vcf": [
        one("Arnold Smith", "asmithk@gmail.com"), one("Chris Beatle", "chrisy55d@yahoo.com"),
        one("Doug White", "dwhite@gmail.com")],
    "ez-vcard/gmail-single.vcf": [
        {"name": "Greg Dartmouth", "org": "TheCompany", "title": "TheJobTitle",
         "emails": ["gdartmouth@hotmail.com"], "phones": ["555 555 1111", "555 555 2222"],
         "urls": ["http://TheProfile.com"], "place": "Custom City, TX, USA",
         "note": "This is GMail's note field.\nIt should be added as a NOTE type.\n"
                 "ACustomField: CustomField",
         "labels": {"555 555 1111": "cell", "555 555 2222": "GRAND_CENTRAL",
                    "http://TheProfile.com": "PROFILE"}}],
    "ez-vcard/outlook-2003.vcf": [
        {"name": "John Doe III", "org": "Company, The, TheDepartment", "title": "The Job Title",
         "note": "This is the note field!!\nSecond line\n\nThird line is empty",
         "phones": ["BusinessPhone", "HomePhone", "MobilePhone", "BusinessFaxPhone"],
         "emails": ["jdoe@hotmail.com"], "urls": ["http://web-page-address.com"],
         "place": "Austin, TX, United States of America",
         "labels": {"BusinessPhone": "work", "HomePhone": "home", "MobilePhone": "cell",
                    "BusinessFaxPhone": "work fax", "http://web-page-address.com": "work"}}],
    "ez-vcard/rfc2426-example.vcf": [
        DAWSON,
        {"name": "Tim Howes", "org": "Netscape Communications Corp.",
         "place": "Mountain View, CA, U.S.A.", "emails": ["howes@netscape.com"],
         "phones": ["+1-415-937-3419", "+1-415-528-4164"],
         "labels": {"+1-415-937-3419": "work", "+1-415-528-4164": "work fax"}}],
    "ez-vcard/rfc6350-example.vcf": [PERREAULT],
    "ez-vcard/thunderbird-MoreFunctionsForAddressBook-extension.vcf": [
        {"name": "John Doe", "org": "TheOrganization, TheDepartment", "title": "TheTitle",
         "place": "New York, NY, USA", "tags": ["category1, category2, category3"],
         "emails": ["doe.john@hotmail.com", "additional-email@company.com",
                    "additional-email1@company.com", "additional-email2@company.com",
                    "additional-email3@company.com"],
         "phones": ["555-555-1111", "555-555-2222", "555-555-5555", "555-555-3333",
                    "555-555-4444"],
         "urls": ["http://www.private-webpage.com", "http://www.work-webpage.com"],
         "note": "This is the notes field.\nSecond Line\n\nFourth Line\nYou can put anything in "
                 "the \"note\" field; even curse words.",
         "labels": {"555-555-1111": "work", "555-555-2222": "home", "555-555-5555": "cell",
                    "555-555-3333": "fax", "555-555-4444": "pager",
                    "http://www.private-webpage.com": "home",
                    "http://www.work-webpage.com": "work"}}],
    "ical.js/escape_semicolon.vcf": [
        {"name": "First Last NextCloud", "org": "Firma", "place": "City, AL, Germany",
         "tags": ["Test-Kontakte"], "emails": ["home@gmx.de", "work@gmx.de"],
         "phones": ["11111111", "205333", "205246;;,;", "222222"],
         "labels": {"home@gmx.de": "home", "work@gmx.de": "work", "11111111": "home",
                    "205333": "cell", "205246;;,;": "work fax", "222222": "work"}}],
    "ical.js/vcard.vcf": [
        {"name": "J. Doe", "org": "ABC, Inc., North American Division, Marketing",
         "title": "Research Scientist", "place": "city, state, country",
         "emails": ["jqpublic@xyz.example.com"], "phones": ["+33-01-23-45-67"],
         "note": "This fax number is operational 0800 to 1715 EST, Mon-Fri",
         "labels": {"jqpublic@xyz.example.com": "work", "+33-01-23-45-67": "home"}}],
    "ical.js/vcard_author.vcf": [PERREAULT],
    "ical.js/vcard_grouped.vcf": [1],
    "kcontacts/testfullvcard.vcf": [
        {"name": "Sherlock Holmes", "title": "Detective", "place": "London, United Kingdom",
         "tags": ["FICTION", "LITERATURE"], "urls": ["https://sherlockholmes.com"],
         "phones": ["+44-555-555-5555;ext=5555", "+44-555-555-6666", "+44-555-555-7777"],
         "emails": ["sherlock.holmes@gmail.com", "detective@sherlockholmes.com"],
         "labels": {"+44-555-555-5555;ext=5555": "home", "+44-555-555-6666": "cell",
                    "+44-555-555-7777": "work", "sherlock.holmes@gmail.com": "home",
                    "detective@sherlockholmes.com": "work"}}],
    "kcontacts/vcard1.vcf": [DAWSON],
    "kcontacts/vcard11.vcf": [
        {"name": "Test User", "emails": ["thejoe@abc.com", "johndoe@abc.com"],
         "labels": {"thejoe@abc.com": "home", "johndoe@abc.com": "work"}}],
    "kcontacts/vcard12.vcf": [
        one("Good Looking", "goodlooking@example.com", email_label="work")],
    "kcontacts/vcard14.vcf": [
        {"name": "Test User", "emails": ["thejoe@abc.com", "johndoe@abc.com"],
         "labels": {"thejoe@abc.com": "home", "johndoe@abc.com": "work"}}],
    "kcontacts/vcard15.vcf": [
        {"name": "Test Tester", "urls": ["http://www.example.com"],
         "phones": ["+1-800-123456"],
         "labels": {"+1-800-123456": "home", "http://www.example.com": "random_label"}}],
    "kcontacts/vcard4.vcf": [
        {"name": "Ximian, Inc.", "org": "Ximian, Inc.", "emails": ["hello@ximian.com"],
         "phones": ["(617) 236-0442", "(617) 236-8630"], "urls": ["www.ximian.com/"],
         "note": "Welcome to the Ximian Addressbook.",
         "labels": {"(617) 236-0442": "work", "(617) 236-8630": "work fax"}}],
    "kcontacts/vcard5.vcf": [
        {"name": "Mustermann, Heiko", "org": "KDE", "place": "Dresden, Sachsen, Germany",
         "tags": ["Friend"], "urls": ["http://www.mustermann.de/~heiko/"],
         "emails": ["heiko.mustermann@freenet.org", "heiko8@tst.inf.tu-dresden.de"],
         "phones": ["0351 223344", "0351 443322", "0173 223344"],
         "note": "I'm a friendly note text,\nplease copy me to your address book...",
         "labels": {"0351 223344": "home", "0351 443322": "work", "0173 223344": "cell"}}],
    "kcontacts/vcard7.vcf": [1],
    "kcontacts/vcard8.vcf": [one("test", note="line one\nline two\nline three")],
    "kcontacts/vcard_extension_case_normalization.vcf": [one("My Name")],
    "kcontacts/vcard_legacy_messaging_fields.vcf": [one("My Name")],
    "khard/altid.vcf": [
        one("altid", note="RFC6350 requires N to have cardinality <=1 but allows alternative "
                          "representations to be included if they are linked by the ALTID "
                          "parameter.")],
    "khard/category.vcf": [one("contact with category", "foo@example.org", tags=["bar"])],
    "khard/contact2.vcf": [one("third contact")],
    "khard/individual.vcf": [one("Wile E. Coyote", org="ACME Inc.")],
    "khard/joe.vcf": [one("Joe Citizen", "jcitizen@foo.com")],
    "khard/korean-c.vcf": [one("\ucd5c\uc720\ub9bc")],
    "khard/labels.vcf": [one("labeled guy", org="Test Inc")],
    "khard/minimal.vcf": [one("minimal contact")],
    "khard/no-nickname.vcf": [one("Mike Jones", "mj@example.org")],
    "khard/org.vcf": [one("ACME Inc.", org="ACME Inc.", kind="org")],
    "khard/photov4.vcf": [
        one("with photo v4",
            note="The RFC6350 for vCard 4.0 specifies that the value for PHOTO shouldbe a "
                 "single uri.")],
    "khard/post.vcf": [one("With post address", place="The City, SomeState, HomeCountry")],
    "khard/text-bday.vcf": [one("text birthday")],
    "khard/unparsable.vcf": [one("second contact with minimal Vcard")],
    "sabre-vobject/issue64.vcf": [1],
}
# what kith has no field for and keeps: in which file, what
KEPT = {
    "android/v21_japanese_1.vcf": ["SOUND;TYPE=X-IRMC-N:\uff71\uff9d\uff84\uff9e\uff73"
                                   "\uff8e\uff72\uff84\uff9e;;;;".replace("\uff8e", "\uff9b")],
    "android/v21_japanese_2.vcf": [
        "ADR;TYPE=HOME:;\u6771\u4eac\u90fd\u6e0b\u8c37\u533a\u685c\u4e18\u753a26-1"
        "\u30bb\u30eb\u30ea\u30a2\u30f3\u30bf\u30ef\u30fc6\u968e;;;;150-8512;"],
    "android/v21_adr_multiple_line.vcf": ["BDAY;VALUE=DATE:20081203"],
    "android/v21_pref_handling.vcf": ["ORG:Mystery", "TITLE:Poet", "TEL;TYPE=ISDN:3"],
    "evolution-data-server/custom-7.vcf": ["KEY;ENCODING=b;TYPE=X509:AA=="],
    "evolution-data-server/4.vcf": [
        "LABEL;TYPE=WORK:92 Main St. N.\\nNewmarket, ON L3Y 4A1\\nCanada"],
    "ez-vcard/John_Doe_EVOLUTION.vcf": ["X-EVOLUTION-SPOUSE:Maria", "BDAY:1980-03-22",
                                        "N:Doe;John;Richter\\, James;Mr.;Sr."],
    "ez-vcard/John_Doe_IPHONE.vcf": [
        "item.ADR;type=WORK:;;Street4\\nBuilding 6\\nFloor 8;New York;;12345;USA\n"
        "item.X-ABADR:Street 4, Building 6,\\n Floor 8\\nNew York\\nUSA"],
    "ez-vcard/gmail-single.vcf": [
        "item.X-ABRELATEDNAMES:MyCustom\nitem.X-ABLabel:CustomRelationship",
        "item.ADR:;;321 Custom St;Custom City;TX;98765;USA\nitem.X-ABLabel:CustomAdrType"],
    "ical.js/vcard_author.vcf": [
        "KEY;TYPE=work;VALUE=uri:http://www.viagenie.ca/simon.perreault/simon.asc"],
    "khard/labels.vcf": ["item.ORG:Test Inc\nitem.X-ABLabel:Work"],
    "khard/altid.vcf": ["N;ALTID=1:representation;two;;;"],
    "kcontacts/vcard5.vcf": ["GEO:19.283333;166.616669", "X-KADDRESSBOOK-X-Profession:Clown"],
}
PHOTOS = {
    "android/v21_base64_no_2_crlf.vcf": "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
    "android/v21_blackberry_photo.vcf": "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo",
    "evolution-data-server/photo-1.vcf": "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo",
    "ez-vcard/John_Doe_ANDROID.vcf": "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
    "ez-vcard/John_Doe_IPHONE.vcf": "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
    "ez-vcard/John_Doe_MS_OUTLOOK.vcf": "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
    "ez-vcard/thunderbird-MoreFunctionsForAddressBook-extension.vcf":
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
    "kcontacts/vcard5.vcf": "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo",
    "khard/photov4.vcf": "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo",
}
KEYS = ("kind", "name", "org", "title", "emails", "phones", "urls", "place", "tags", "note", "met",
        "labels")


def agree(found, wanted):
    if isinstance(wanted, tuple):
        return isinstance(found, str) and found.startswith(wanted[0]) and found.endswith(wanted[1])
    return found == wanted


def differences(found, wanted):
    wanted = {"kind": "person", **wanted}
    return [(key, found.get(key), wanted.get(key)) for key in KEYS
            if not agree(found.get(key), wanted.get(key))]


def folder_of_vcards():
    folder = os.path.join(DATA, "vcards")
    if not os.path.isdir(folder):
        raise Skip("no test data at " + folder)
    return folder


def every_file_of_vcards_has_its_people_written_down(place):
    del place  # Only the files are looked at.
    folder, found = folder_of_vcards(), []
    for top, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(top, name), folder) for name in names
                  if name.endswith(".vcf")]
    assert sorted(found) == sorted(VCARDS), set(found) ^ set(VCARDS)


def vcards_of_real_exporters_tell_who_is_in_them(place):
    folder = folder_of_vcards()
    wrong = []
    for at, (name, wanted) in enumerate(VCARDS.items()):
        member = place.member(f"Ana{at}")
        nobody = sum(row for row in wanted if isinstance(row, int))
        wanted = [row for row in wanted if not isinstance(row, int)]
        code, answer = member.call("import", os.path.join(folder, name))
        if not wanted:
            assert code == 1 and nobody == 1, (name, answer)
            continue
        assert code == 0 and len(answer["rejected"]) == nobody, (name, answer)
        text = member.ok("export", "--format", "json")["text"]
        found = member.ok("contact", "list")["contacts"]
        left = list(found)
        for person in wanted:
            same = [one for one in left if one["name"] == person["name"]]
            if not same:
                wrong.append((name, "nobody is called", person["name"]))
                continue
            left.remove(same[0])
            wrong += [(name, person["name"], *row) for row in differences(same[0], person)]
        wrong += [(name, "unexpected", one["name"]) for one in left]
        for kept in KEPT.get(name, []):
            quoted = kept.replace("\\", "\\\\").replace("\n", "\\n")
            if f'"{quoted}"' not in text:
                wrong.append((name, "not kept", kept, text))
        if name in PHOTOS and PHOTOS[name].replace("/", "/") not in text:
            wrong.append((name, "no photo"))
        again = member.ok("import", os.path.join(folder, name))
        if (again["new"], again["updated"], again["unchanged"]) != (0, 0, len(found)):
            wrong.append((name, "again", again))
    assert not wrong, "\n" + "\n".join(str(row)[:600] for row in wrong)


run(dict(globals()))
