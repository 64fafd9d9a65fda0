"""Tables of people: LinkedIn, Google, Outlook and plain CSV. Every real file has its people written
down here, as somebody reads them in the file; the project's own samples are always there."""
import hashlib
import os

from kithtest import DATA, Skip, run

IN = "https://www.linkedin.com/in/"


class Told:  # pylint: disable=too-few-public-methods
    """A text known by the first 16 digits of its SHA-256: firms this project need not name."""

    def __init__(self, digest):
        self.digest = digest

    def __eq__(self, text):
        return isinstance(text, str) and \
            hashlib.sha256(text.encode()).hexdigest()[:16] == self.digest

    def __repr__(self):
        return f"Told({self.digest})"


# name, e-mails, organisation, title, web address, date of the connection
LINKEDIN = {
    "no-preamble-dd-Mon-yy-no-final-newline.csv": [
        ("John Doe", ["john@example.com"], "Acme Corp", "CEO",
         "https://linkedin.com/in/johndoe", "2024-01-15"),
        ("Jane Smith", ["jane@example.com"], "Tech Co", "CTO",
         "https://linkedin.com/in/janesmith", "2024-02-20"),
        ("Bob Wilson", [], "Startup Inc", "Founder",
         "https://linkedin.com/in/bobwilson", "2023-03-10"),
        ("Alice Brown", ["alice.brown@email.com"], "AI Labs", "Director of Engineering",
         "https://linkedin.com/in/alicebrown", "2023-12-25"),
        ("Charlie Davis", ["charlie@startup.com"], "Stealth", "Co-founder",
         "https://linkedin.com/in/charliedavis", "2025-05-05"),
    ],
    "preamble-full-dups-nameless.csv": [
        ("Priya Sharma", [], "Razorpay", "Software Engineer II", IN + "priya-sharma-1",
         "2021-03-12"),
        ("Rahul Iyer", ["rahul@example.com"], "Flipkart", "Senior SDE", IN + "rahul-iyer",
         "2020-01-05"),
        ("Priya Sharma", [], "Razorpay Software Pvt Ltd", "Product Manager",
         IN + "priya-sharma-2", "2022-02-01"),
        ("Anita Rao", [], None, None, IN + "anita-rao", "2019-07-20"),
    ],
    "preamble-unquoted-2lines-columns-moved.csv": [
        ("Alice Johnson", ["alice.johnson@techcorp.com"], "TechCorp", "CTO",
         "https://linkedin.com/in/alicejohnson", "2023-01-15"),
        ("Bob Williams", ["bob@startupxyz.com"], "StartupXYZ", "Founder",
         "https://linkedin.com/in/bobwilliams", "2023-03-20"),
        ("Carol Davis", [], "BigCo", "VP Engineering", "https://linkedin.com/in/caroldavis",
         "2023-05-10"),
        ("David Brown", [Told("398c103c31b4cc30")], Told("744205e43529c1fc"), "Engineer",
         "https://linkedin.com/in/davidbrown", "2023-07-25"),
        ("Eve Wilson", ["eve@consulting.io"], "Consulting Partners", "Principal",
         "https://linkedin.com/in/evewilson", "2023-09-01"),
        ("Frank Miller", [], "Google", "Staff Engineer", "https://linkedin.com/in/frankmiller",
         "2023-11-15"),
        ("Grace Lee", ["grace.lee@meta.com"], "Meta", "Engineering Manager",
         "https://linkedin.com/in/gracelee", "2023-12-20"),
        ("Henry Taylor", [], "Amazon", "Senior SDE", "https://linkedin.com/in/henrytaylor",
         "2024-01-05"),
        ("Ivy Martinez", ["ivy@startup.co"], "Stealth Startup", "Co-founder",
         "https://linkedin.com/in/ivymartinez", "2024-02-10"),
        ("Jack Anderson", [Told("bfbf1f60f659aa45")], Told("8b7d1a3187ab355d"),
         "Research Scientist",
         "https://linkedin.com/in/jackanderson", "2024-03-25"),
    ],
    "rows20-future-dates.csv": [
        ("Sarah Chen", ["sarah@example.com"], "Google", "Senior AI Engineer", IN + "sarah-chen",
         "2026-03-15"),
        ("Michael Rodriguez", [], "Meta", "Founder & CEO", IN + "michael-rodriguez",
         "2026-03-10"),
        ("Emily Thompson", ["emily.t@example.com"], "Stealth Startup",
         "Machine Learning Engineer", IN + "emily-thompson", "2026-03-05"),
        ("David Kumar", [], "Microsoft", "Principal Software Engineer", IN + "david-kumar",
         "2026-03-01"),
        ("Jennifer Lee", [], "Amazon", "Recruiter - Tech Talent", IN + "jennifer-lee",
         "2026-02-28"),
        ("Robert Williams", ["rob@startup.com"], "TechVentures", "Co-Founder & CTO",
         IN + "robert-williams", "2026-02-25"),
        ("Lisa Martinez", [], Told("8b7d1a3187ab355d"), "Research Scientist - Deep Learning",
         IN + "lisa-martinez", "2026-02-20"),
        ("James Anderson", [], "Tesla", "Senior Data Scientist", IN + "james-anderson",
         "2026-02-15"),
        ("Maria Garcia", [], "Stanford University", "PhD Student - AI", IN + "maria-garcia",
         "2026-02-10"),
        ("Chris Taylor", ["chris@example.com"], Told("744205e43529c1fc"), "ML Engineer",
         IN + "chris-taylor",
         "2026-02-05"),
        ("Amanda Brown", [], "Google", "VP of Engineering", IN + "amanda-brown", "2026-02-01"),
        ("Daniel Wilson", [], "Meta", "Director of AI Research", IN + "daniel-wilson",
         "2026-01-28"),
        ("Jessica Moore", ["jess@company.com"], "Stripe", "Senior Product Manager",
         IN + "jessica-moore", "2026-01-25"),
        ("Ryan Davis", [], "Netflix", "Staff Software Engineer", IN + "ryan-davis",
         "2026-01-20"),
        ("Michelle Johnson", [], "LinkedIn", "Talent Acquisition Partner",
         IN + "michelle-johnson", "2026-01-15"),
        ("Kevin Miller", ["kevin@ailab.com"], "DeepMind", "Founder", IN + "kevin-miller",
         "2026-01-10"),
        ("Nicole Jones", [], "Apple", "AI/ML Engineer", IN + "nicole-jones", "2026-01-05"),
        ("Brandon White", [], "Uber", "Principal Engineer", IN + "brandon-white", "2026-01-01"),
        ("Stephanie Harris", ["steph@startup.io"], "AI Startup", "CEO & Founder",
         IN + "stephanie-harris", "2025-12-28"),
        ("Jonathan Clark", [], "NVIDIA", "Senior Deep Learning Engineer",
         IN + "jonathan-clark", "2025-12-25"),
    ],
    "rows22.csv": [
        (name, [], org, title, IN + page + "-demo", date) for name, page, org, title, date in (
            ("Priya Shah", "priya-shah", "Harbourline", "Staff Engineer", "2023-03-12"),
            ("Fiona McLeod", "fiona-mcleod", "Harbourline", "FP&A Partner", "2024-06-04"),
            ("Tom Hale", "tom-hale", "Harbourline", "Principal CSM", "2022-01-18"),
            ("Samir Patel", "samir-patel", "Harbourline", "Enterprise AE", "2023-09-09"),
            ("Nadia Okonkwo", "nadia-okonkwo", "Harbourline", "VP Product", "2021-11-21"),
            ("Maya Chen", "maya-chen", "Harbourline", "Engineering Manager", "2022-02-02"),
            ("Jordan Adeyemi", "jordan-adeyemi", "Harbourline", "Chief of Staff", "2024-04-15"),
            ("Isla McCabe", "isla-mccabe", "Harbourline", "Content Lead", "2023-05-30"),
            ("Callum Bright", "callum-bright", "Harbourline", "VP Engineering", "2020-08-11"),
            ("Sian Davies", "sian-davies", "Harbourline", "VP Customer", "2021-10-19"),
            ("Dominic Hargreaves", "dominic-hargreaves", "Harbourline", "Finance Director",
             "2019-01-07"),
            ("Frances Whitaker", "frances-whitaker", "Harbourline", "Counsel", "2022-07-22"),
            ("Louise Wright", "louise-wright", "Harbourline", "Principal Product Manager",
             "2021-03-03"),
            ("Mei Lin", "mei-lin", "Harbourline", "Product Manager", "2024-01-11"),
            ("Anika Rao", "anika-rao", "Harbourline", "Product Designer", "2023-08-08"),
            ("Gareth Quinn", "gareth-quinn", "Harbourline", "Sales Engineer", "2024-02-14"),
            ("Niamh Byrne", "niamh-byrne", "Harbourline", "Staff Engineer Data", "2022-11-28"),
            ("Helen Marsh", "helen-marsh", "Northsea Freight", "Account Executive",
             "2023-06-16"),
            ("Ravi Kapoor", "ravi-kapoor", "Dockside Analytics", "Brand Lead", "2024-12-02"),
            ("Yara Mansour", "yara-mansour", "Harbourline", "People Operations", "2025-04-09"),
            ("Leila Bouzid", "leila-bouzid", "Harbourline", "Billing Operations", "2023-08-27"),
            ("Theo Nkrumah", "theo-nkrumah", "Harbourline", "Demand Generation", "2024-05-05"),
        )],
}

# what contact list says of each, ids and times aside
GOOGLE = {
    "google-new-style.csv": [
        {"name": "John Doe", "org": "Acme Corp", "title": "CEO", "emails": ["john@example.com"],
         "phones": ["+1-555-0123"], "urls": ["https://acme.com"],
         "labels": {"+1-555-0123": "work", "https://acme.com": "Website"}},
        {"name": "Jane Smith", "org": "Tech Co", "title": "CTO", "emails": ["jane@example.com"],
         "phones": ["+1-555-0124"], "labels": {"+1-555-0124": "work"}},
        {"name": "Bob Wilson", "org": "Startup Inc", "title": "Founder",
         "emails": ["bob@startup.com"], "urls": ["https://startup.com"],
         "labels": {"https://startup.com": "Website"}},
        {"name": "Alice Brown", "org": "AI Labs", "title": "Director",
         "emails": ["alice.brown@email.com"], "phones": ["+1-555-0125"],
         "urls": ["https://ailabs.com"],
         "labels": {"+1-555-0125": "mobile", "https://ailabs.com": "Website"}},
    ],
    "google-old-style.csv": [
        {"name": "Jerry Mathis", "org": "Example Partners", "title": "Founder",
         "emails": ["jerry@example.com"], "phones": ["(757) 555-0101"],
         "labels": {"jerry@example.com": "work", "(757) 555-0101": "mobile"}},
        {"name": "Zo\u00eb, Smith", "org": "Unicode Works", "title": "Engineer",
         "emails": ["zoe@example.com"], "labels": {"zoe@example.com": "home"}},
    ],
}
KEYS = ("kind", "name", "org", "title", "emails", "phones", "urls", "place", "tags", "note", "met",
        "labels")


def people(member):
    """Everybody, without ids and times; persons without saying so."""
    found = []
    for contact in member.ok("contact", "list")["contacts"]:
        found.append({key: contact[key] for key in KEYS if key in contact})
        if found[-1]["kind"] == "person":
            del found[-1]["kind"]
    return sorted(found, key=repr)


def expect(member, path, wanted, **more):
    """Imports a file into an empty book: exactly these people; again: nothing changes."""
    answer = member.ok("import", path, **more)
    assert answer["new"] == len(wanted), (path, answer)
    found = people(member)
    for left, right in zip(found, sorted(wanted, key=repr)):
        assert left == right, f"{path}: {left} is not {right}"
    assert len(found) == len(wanted), (path, found)
    again = member.ok("import", path, **more)
    assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, len(wanted)), again
    assert people(member) == found
    return answer


def data(folder):
    path = os.path.join(DATA, folder)
    if not os.path.isdir(path):
        raise Skip("no test data at " + path)
    return path


def linkedin_of_every_shape_tells_who_is_in_it(place):
    folder = data("linkedin-csv")
    assert sorted(os.listdir(folder)) == sorted(LINKEDIN)
    for at, (name, rows) in enumerate(LINKEDIN.items()):
        wanted = []
        for who, emails, org, title, url, date in rows:
            person = {"name": who, "emails": emails, "org": org, "title": title, "urls": [url],
                      "met": "connected on LinkedIn, " + date}
            wanted.append({key: value for key, value in person.items() if value})
        answer = expect(place.member(f"Ana{at}"), os.path.join(folder, name), wanted)
        if name == "preamble-full-dups-nameless.csv":
            assert [row["line"] for row in answer["rejected"]] == [9], answer
            assert answer["look_alike"] == 1 and answer["alike"][0]["line"] == 7, answer
        else:
            assert answer["rejected"] == [] and answer["look_alike"] == 0, answer


def google_of_both_generations_tells_who_is_in_it(place):
    folder = data("contacts-csv")
    for at, (name, wanted) in enumerate(GOOGLE.items()):
        expect(place.member(f"Ana{at}"), os.path.join(folder, name), wanted)


def a_table_without_people_is_told(place):
    folder = data("contacts-csv")
    ana = place.member("Ana")
    for name in os.listdir(folder):
        if name.startswith("header-"):
            ana.fails(1, "import", os.path.join(folder, name))
    assert ana.ok("contact", "list")["total"] == 0


def every_column_of_the_three_exporters_finds_its_place(place):
    """One row under each real header, every cell filled with its column's name."""
    folder = data("contacts-csv")
    for at, (name, wanted) in enumerate((
            ("header-google-new-36-columns.csv",
             {"name": "Name Prefix First Name Middle Name Last Name Name Suffix",
              "org": "Organization Name, Organization Department", "title": "Organization Title",
              "emails": ["E-mail 1 - Value", "E-mail 2 - Value"],
              "phones": ["Phone 1 - Value", "Phone 2 - Value", "Phone 3 - Value"],
              "place": "Address 1 - City, Address 1 - Region, Address 1 - Country",
              "tags": ["Labels"], "note": "Notes",
              "labels": {"E-mail 1 - Value": "E-mail 1 - Label",
                         "E-mail 2 - Value": "E-mail 2 - Label",
                         "Phone 1 - Value": "Phone 1 - Label",
                         "Phone 2 - Value": "Phone 2 - Label",
                         "Phone 3 - Value": "Phone 3 - Label"}}),
            ("header-google-old-68-columns.csv",
             {"name": "Name", "org": "Organization 1 - Name, Organization 1 - Department",
              "title": "Organization 1 - Title",
              "emails": [f"E-mail {n} - Value" for n in (1, 2, 3)],
              "phones": [f"Phone {n} - Value" for n in (1, 2, 3)],
              "urls": ["Website 1 - Value", "Website 2 - Value"],
              "place": "Address 1 - City, Address 1 - Region, Address 1 - Country",
              "tags": ["Group Membership"], "note": "Notes",
              "labels": {f"{kind} {n} - Value": f"{kind} {n} - Type"
                         for kind, top in (("E-mail", 3), ("Phone", 3), ("Website", 2))
                         for n in range(1, top + 1)}}),
            ("header-outlook-92-columns.csv",
             {"name": "Title First Name Middle Name Last Name Suffix",
              "org": "Company, Department", "title": "Job Title",
              "place": "Business City, Business State, Business Country/Region",
              "emails": ["E-mail Address", "E-mail 2 Address", "E-mail 3 Address"],
              "phones": ["Assistant's Phone", "Business Fax", "Business Phone",
                         "Business Phone 2", "Callback", "Car Phone", "Company Main Phone",
                         "Home Fax", "Home Phone", "Home Phone 2", "ISDN", "Mobile Phone",
                         "Other Fax", "Other Phone", "Pager", "Primary Phone", "Radio Phone",
                         "TTY/TDD Phone", "Telex"],
              "urls": ["Web Page"], "tags": ["Categories"], "note": "Notes",
              "labels": {"Assistant's Phone": "assistant", "Business Fax": "work fax",
                         "Business Phone": "work", "Business Phone 2": "work",
                         "Callback": "callback", "Car Phone": "car",
                         "Company Main Phone": "main", "Home Fax": "home fax",
                         "Home Phone": "home", "Home Phone 2": "home", "ISDN": "ISDN",
                         "Mobile Phone": "mobile", "Other Fax": "other fax",
                         "Other Phone": "other", "Pager": "pager", "Primary Phone": "primary",
                         "Radio Phone": "radio", "TTY/TDD Phone": "TTY/TDD",
                         "Telex": "telex"}}))):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            header = file.read().strip()
        row = header if "Phone" in header else ""
        path = os.path.join(place.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(header + "\n" + row + "\n")
        # Phones are told apart by their digits; a column's name has few.
        wanted = {key: sorted(value) if isinstance(value, list) else value
                  for key, value in wanted.items()}
        ana = place.member(f"Ana{at}")
        ana.ok("import", path)
        found = people(ana)
        assert len(found) == 1, found
        for key, value in wanted.items():
            got = found[0].get(key)
            if key == "phones":
                assert set(got) <= set(value), (name, got)
            else:
                assert (sorted(got) if isinstance(got, list) else got) == value, \
                    (name, key, got, value)


SAMPLES = {
    "names and e-mails": (
        "Name,Email\nMara Lindt,mara@example.org\n\"Kim, Joon\",joon@example.org\n",
        [{"name": "Mara Lindt", "emails": ["mara@example.org"]},
         {"name": "Kim, Joon", "emails": ["joon@example.org"]}]),
    "semicolons, accents of an office, no final line end": (
        "Vorname;Nachname;Firma;E-Mail-Adresse\r\nJ\u00fcrgen;M\u00fcller;B\u00e4cker;"
        "j@example.org".encode("cp1252"),
        [{"name": "J\u00fcrgen M\u00fcller", "org": "B\u00e4cker", "emails": ["j@example.org"]}]),
    "UTF-16 with tabs": (
        "Name\tPhone\r\nZo\u00eb\t+49 30 1\r\n".encode("utf-16"),
        [{"name": "Zo\u00eb", "phones": ["+49 30 1"]}]),
    "UTF-16 without its mark": (
        "Name,Phone\nZo\u00eb,+49 30 1\n".encode("utf-16-le"),
        [{"name": "Zo\u00eb", "phones": ["+49 30 1"]}]),
    "a mark of UTF-8, the separator told, line ends of an old Mac": (
        "\ufeffsep=;\rName;Tags\rZo\u00eb;choir, clients\rAl;\r",
        [{"name": "Zo\u00eb", "tags": ["choir", "clients"]}, {"name": "Al"}]),
    "no header at all": (
        "Mara Lindt,mara@example.org,+49 30 123456\nJoon,joon@example.org,\n",
        [{"name": "Mara Lindt", "emails": ["mara@example.org"], "phones": ["+49 30 123456"]},
         {"name": "Joon", "emails": ["joon@example.org"]}]),
    "lines inside cells, spaces around them, prefixes": (
        "Name, Note, Email, Phone, City, Country\n"
        "\"Mara\", \"first\nsecond\", mailto:mara@example.org, tel:+49-30-1, Berlin, Germany\n",
        [{"name": "Mara", "note": "first\nsecond", "emails": ["mara@example.org"],
          "phones": ["+49-30-1"], "place": "Berlin, Germany"}]),
    "Google: several values in one cell, starred labels": (
        "First Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,"
        "Phone 1 - Value\nAna,Silva,* myContacts ::: Choir,* Work,"
        "a@example.org ::: b@example.org,Work Fax,+351 1\n",
        [{"name": "Ana Silva", "tags": ["Choir"], "emails": ["a@example.org", "b@example.org"],
          "phones": ["+351 1"], "labels": {"a@example.org": "work", "b@example.org": "work",
                                           "+351 1": "work fax"}}]),
    "Outlook says what it says where nothing was entered": (
        "First Name,Last Name,Company,Job Title,E-mail Address,E-mail Type,Birthday,Gender,"
        "Priority,Private,Sensitivity\nAna,Silva,ACME,Welder,a@example.org,SMTP,0/0/00,"
        "Unspecified,Normal,False,Normal\n",
        [{"name": "Ana Silva", "org": "ACME", "title": "Welder", "emails": ["a@example.org"]}]),
}


def tables_that_people_make_are_read(place):
    for at, (what, (text, wanted)) in enumerate(SAMPLES.items()):
        path = os.path.join(place.path, f"sample{at}.csv")
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("utf-8"))
        try:
            answer = expect(place.member(f"Ana{at}"), path, wanted)
        except AssertionError as why:
            raise AssertionError(what) from why
        assert answer["rejected"] == [], (what, answer)


def a_row_that_cannot_be_read_costs_only_itself(place):
    ana = place.member("Ana")
    rows = ["Name,Email", "Mara,mara@example.org", ",", ",,,", "\"never ends,x@example.org",
            "Joon,joon@example.org", "," * 1500, "x" * 1100000 + ",y@example.org", "Al,al@x.org"]
    answer = ana.ok("import", "-", stdin="\n".join(rows).encode())
    assert answer["new"] == 3, answer
    assert sorted(row["line"] for row in answer["rejected"]) == [5, 7, 8], answer


def a_wrong_format_is_told(place):
    ana = place.member("Ana")
    table = b"Name,Email\nMara,mara@example.org\n"
    for name in ("linkedin", "google", "outlook"):
        ana.fails(1, "import", "-", "--from", name, stdin=table)
    ana.fails(2, "import", "-", "--from", "monica", stdin=table)
    ana.fails(1, "import", "-", stdin=b"just,some\nwords,here\n")
    ana.fails(1, "import", "-", stdin=b"")
    assert ana.ok("import", "-", "--from", "csv", stdin=table)["new"] == 1


def a_profile_is_known_again_however_it_is_written(place):
    ana = place.member("Ana")
    head = "First Name,Last Name,URL,Company,Position,Connected On\n"
    rows = ["Ana,Silva,https://www.linkedin.com/in/ana,ACME,Welder,1 Jan 2020\n",
            "Ana,Silva-Costa,http://linkedin.com/in/ana/,Other,Boss,1 Jan 2020\n"]
    assert ana.ok("import", "-", stdin=(head + rows[0]).encode())["new"] == 1
    answer = ana.ok("import", "-", stdin=(head + rows[1]).encode())
    assert (answer["new"], answer["updated"]) == (0, 1), answer
    assert ana.ok("contact", "show", "Ana Silva-Costa")["org"] == "Other"


run(dict(globals()))
