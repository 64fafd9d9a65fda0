/*
 * Every bound on what a stranger, a peer or a file may send, with the reason for each number. A
 * number from outside meets its limit here before it meets an allocator.
 */
#ifndef KITH_PROTO_LIMITS_H
#define KITH_PROTO_LIMITS_H

enum {
    PROTOCOL_VERSION = 1,
    PORT_DEFAULT = 5484, /* K-I-T-H on a telephone */

    SCAN_DEPTH_MAX = 8, /* msgpack-c itself stops at 32; nothing of ours nests deeper than 6 */

    MESSAGE_SIZE_MAX = 1 << 20, /* one session message: a batch of one block with its framing */
    ENTRY_PAYLOAD_SIZE_MAX =
        256 << 10,           /* one edit of one object; larger photos are refused with a note */
    BLOCK_ENTRIES_MAX = 256, /* one signature check per so many entries in bulk */
    BLOCK_PAYLOAD_SIZE = 256 << 10, /* a block ends at the entry that brings it here */
    BATCH_SIZE_MAX =
        BLOCK_PAYLOAD_SIZE + ENTRY_PAYLOAD_SIZE_MAX + (32 << 10), /* a full block, framed */

    EDIT_WRITES_MAX = 1024,     /* one card of a real address book stays far below */
    VALUE_SIZE_MAX = 250 << 10, /* one value of one field; an edit must still fit an entry */
    SET_ELEMENTS_MAX = 1024,    /* elements of one set of one object that ops accept */
    OBJECT_EDITS_MAX = 256,     /* edits of one object that its history reaches back */
    OBJECT_MARKS_MAX = 8192,    /* dots, ties, marks of logs, names in an object of another's:
                                   each write looks through them */
    SPACE_LOGS_MAX = 1024,      /* logs that edits in a space of somebody else's may name */
    REMOVE_DOTS_MAX = 256,      /* dots one remove lists */
    FORGET_PLACES_MAX = 4096,   /* entries one forget names: they fit a value */
    DELETE_MARKS_MAX = 256,     /* logs one delete can have seen: LOGS_PER_PEER_MAX */
    DELETE_NAMES_MAX = 64,      /* writes one delete names; an edit may hold many */
    DELETE_WRITES_MAX = 16384,  /* writes the deletes of one edit name: they fit an entry */

    NAME_SIZE_MAX = 200,       /* bytes of a person's or organisation's name on a card */
    DEVICE_NAME_SIZE_MAX = 32, /* a chain of certificates must fit message 3 */
    TEXT_SIZE_MAX = 1000,      /* bytes of other one-line text fields */
    NOTE_SIZE_MAX = 64 << 10,  /* a note, or one verbatim property of an imported card */

    CHAIN_LENGTH_MAX = 3,       /* certificates between the root and a device, successors apart */
    CHAIN_CERTIFICATES_MAX = 5, /* in all: a device so far down may heal twice without the root */
    CERTIFICATE_SIZE_MAX = 320, /* bytes of one */
    CERTIFICATES_PER_DEVICE_MAX = 16, /* looked at: two or three are ever needed */
    FACT_SIGNERS_MAX = 16,            /* who say one thing of a device: two or three ever do */
    CERTIFICATES_JUDGED_MAX = 8192, /* devices at one go: 0.4 s where somebody certified so many */
    DEVICES_MAX = 256,              /* of one other member: as many as may have a log here */
    IDENTITY_SIZE_MAX = 1536,       /* root and chain in message 3 */

    STATEMENT_BODY_SIZE_MAX =
        48 << 10, /* an endorsement with both of its exports, in all scripts */
    STATEMENT_SIZE_MAX = STATEMENT_BODY_SIZE_MAX + IDENTITY_SIZE_MAX + 128, /* with its signer */

    ADDRESSES_MAX = 4,         /* of one device */
    ADDRESS_SIZE_MAX = 18,     /* IPv6 and port */
    INVITATION_SIZE_MAX = 200, /* bytes before base32: a QR code a phone can read */
    INVITATION_SECRET_SIZE = 16,
    INVITATION_HINT_SIZE_MAX = 40,
    INVITATION_DAYS_DEFAULT = 7,
    INVITATION_DAYS_MAX = 90,
    INVITATION_MEMORY_DAYS = 30, /* spent, revoked and expired ones are remembered so long */

    INTRODUCTION_DAYS_DEFAULT = 21,
    INTRODUCTION_DAYS_MIN = 3,
    INTRODUCTION_DAYS_MAX = 60,
    INTRODUCTION_SKEW_HOURS = 24,      /* an offer from so far ahead of my clock is shown at once */
    INTRODUCTION_RETRACT_DAYS = 7,     /* a yes nobody used is taken back so long after the end */
    INTRODUCTION_COOL_DAYS = 90,       /* the same pair again, and how long a mute lasts */
    INTRODUCTION_TOMBSTONE_DAYS = 180, /* ended ones are remembered: nothing late revives them */
    INTRODUCTION_KEY_DAYS = 30,        /* the introduction key is renewed so often */
    INTRODUCTION_OPEN_MAX = 10,        /* open ones of one introducer */
    INTRODUCTION_SHOWN_OPEN_MAX = 3,   /* unanswered ones of one introducer that are shown to me */
    INTRODUCTION_SHOWN_WEEK_MAX = 2,   /* new ones of one introducer shown in 7 days */
    INTRODUCTION_SHOWN_MAX = 10,       /* unanswered ones shown, whoever introduces */
    INTRODUCTION_WANTS_MAX = 10,       /* live wants of one member at one introducer */
    INTRODUCTION_ROWS_MAX = 128,       /* of one introducer, ended ones included: 52 can be shown */
    INTRODUCTION_FACTS_MAX = 4,        /* of one type by one member: devices may say it twice */
    INTRODUCTION_HELLOS_MAX = 16,      /* which of them can be opened is not known beforehand */
    INTRODUCTION_LINE_SIZE_MAX = 140,  /* who the other is, in one line */
    INTRODUCTION_WHY_SIZE_MAX = 600,   /* why; what to pass on; a note to the introducer */
    INTRODUCTION_WORDS_SIZE_MAX = 200, /* whom somebody wants to meet, in words */
    INTRODUCTION_MESSAGE_SIZE_MAX = 300, /* a line to the other, or thanks */
    INTRODUCTION_HELLO_SIZE_MAX = 4096,  /* identity, addresses, name and a line, sealed */
    INTRODUCTION_YES_SIZE_MAX = 2560,    /* keys with a chain of certificates */
    INTRODUCTION_SIZE_MAX = 8192,        /* any statement of an introduction */

    ASK_HOPS_MAX = 3, /* hop 4 would bring a quarter more people for nearly twice the load */
    ASK_DAYS_DEFAULT = 14,
    ASK_DAYS_MAX = 30,
    ASK_TITLE_MAX = 140,      /* characters */
    ASK_TITLE_SIZE_MAX = 420, /* bytes: most scripts fit */
    ASK_TEXT_MAX = 2000,
    ASK_TEXT_SIZE_MAX = 3200,
    ASK_CAUTION_SIZE_MAX = 200, /* one line */
    ASK_TAGS_MAX = 8,
    ASK_TAG_TEXT_SIZE_MAX = 64, /* one of them */
    ASK_KEEP_MAX = 16,          /* members it is kept from; more would fit too many by chance */
    ASK_SIZE_MAX = 4096,        /* the body, whole */
    ASK_LINE_SIZE_MAX = 280,    /* a personal line beside a pass */
    ASK_SALT_SIZE = 32,
    ASK_TAG_SIZE = 16,
    ASK_AUTHOR_SIZE_MAX = 2048, /* salt, chain of certificates, name, signature */
    ASK_PASS_SIZE_MAX = 7168,   /* all of it, with three links */
    ASK_CLOSE_SIZE_MAX = 256,
    ASK_PASSES_MAX = 10,     /* people one member may pass one ask on to */
    ASK_OPEN_MAX = 2,        /* open ones of one author that reach beyond the first hop */
    ASK_PAUSE_DAYS = 7,      /* from one of those to the next */
    ASK_BUCKET = 4,          /* passes of one neighbour that are shown at once */
    ASK_BUCKET_WEEK = 10,    /* and in 7 days; what goes beyond is for later */
    ASK_SHOWN_DAY_MAX = 6,   /* shown to me in a day, whoever passes them */
    ASK_ROUTES_MAX = 8,      /* ways one ask comes here that are kept */
    ASK_NEIGHBOUR_MAX = 256, /* routes kept of one neighbour: what the bucket lets by in 120 days */
    ASK_REFUSED_DAY_MAX = 8, /* refusals of one neighbour that are told in a day */
    ASK_IGNORED_MAX = 5,     /* passes in a row that were not wanted: the next go to the digest */
    ASK_TOMBSTONE_DAYS = 90, /* ended ones are remembered: nothing late revives them */

    LETTER_SIZE_MIN = 1024,       /* a letter is 1, 4 or 16 KiB: its size tells next to nothing */
    LETTER_SIZE_MAX = 16384,      /* text, what is told of somebody, and the writer's chain */
    REPLY_TEXT_SIZE_MAX = 8000,   /* bytes of a reply: three typed pages */
    REPLY_FACTS_MAX = 8,          /* what a reply tells of the one it names */
    REPLY_FACT_SIZE_MAX = 300,    /* bytes of one: the longest e-mail address fits */
    REPLY_SIZE_MAX = 16384 + 256, /* a letter and what is around it */
    REPLIES_DAY_MAX = 20,         /* taken from one neighbour a day, whoever they are for */
    REPLIES_WAITING_MAX = 200,    /* of one neighbour beyond that: ten days of them */
    REPLY_EARLY_DAYS = 7,         /* for what another device of mine may know to come here */
    REPLY_SOURCES_MAX = 8,        /* ways the same may come: a spare one or two, */
    REPLY_COPIES_MAX = 2,         /* of one neighbour: copies of theirs shut no other's out */
    REPLY_ANSWERS_MAX = 64,       /* answers to one reply that are handed on, of one neighbour; */
    REPLY_SAID_MAX = 256,         /* kept of all: junk of one shuts no other's out */
    ANSWER_KEEP_DAYS = 30,        /* an answer is carried so long, whatever became of the ask */
    THANKS_LINE_SIZE_MAX = 280,   /* one line, read by everybody on the way */

    EPOCH_WRAPS_MAX = 64,    /* devices one grant entry serves: 16 of each side and recovery keys */
    EXPIRY_KEEP_DAYS = 30,   /* of running time: payloads of what is over stay so long */
    KNOCK_DAYS_MAX = 400,    /* who was away for so long must be told the knock anew */
    RESTATE_KEEP_DAYS = 400, /* a reader who was away for so long gets no covered entries */
    RESTATE_FREE_MAX = 256,  /* entries of somebody else's space that are merged again at once; */
    RESTATE_ENTRY_MS = 1,    /* ... for each of more the next time waits: 1 % of one core */
    RESTATE_DEAD_MIN = 64 << 10, /* dead bytes below that are not worth a restatement */
    EPOCH_ENTRIES_MAX = 1000000, /* of one log under one key: then it is renewed */
    EPOCH_PARENTS_MAX = 4,       /* branches one epoch unites; more are united step by step */
    EPOCH_DEPTH_MAX = 1 << 24,   /* rotations of one space; nobody can push the depth to its end */
    ENDORSEMENT_SIZE_MAX = 4096, /* words, three tags, a name and three signatures */
    ENDORSEMENT_WORDS_MIN = 20,  /* characters: no endorsement by one click */
    ENDORSEMENT_WORDS_MAX = 1000,
    ENDORSEMENT_WORDS_SIZE_MAX = 2400, /* bytes of them: most scripts fit 1,000 characters */
    ENDORSEMENT_ABOUT_MAX = 3,
    ENDORSEMENT_ABOUT_SIZE_MAX = 100, /* bytes of one tag */
    ENDORSEMENT_YEAR_MIN = 1900,
    ENDORSEMENT_YEAR_MAX = 2200,
    ENDORSEMENT_MONTHS_DEFAULT = 24,
    ENDORSEMENT_MONTHS_MAX = 60,
    ENDORSEMENT_DAYS_MAX = 1827,     /* 60 months with two leap days */
    ENDORSEMENTS_PER_ISSUER_MAX = 3, /* live ones one issuer may have about one subject */
    ENDORSEMENTS_SHOWN_MAX = 200,    /* of one subject that readers count */
    ENDORSEMENT_WANT_SIZE_MAX = 600, /* bytes that name the work one would like endorsed */
    ENDORSEMENT_WANT_DAYS = 90,      /* asked of one person at most once in so long */
    SHOW_DAYS_MAX = 90,              /* after so long without news a show is over */
    SHOW_RENEW_DAYS = 30,            /* its own device renews it so often */
    SHOW_SIZE_MAX = 1792,            /* that with chain and signature */
    QUOTES_MAX = 2000,               /* in one network space */
    QUOTES_SIZE_MAX = 4 << 20,       /* bytes of their statements */
    VOUCHES_MAX = 1 << 20,           /* endorsements trust looks through: 300 peers who each quote
                                        all they may, and more; 60 MiB while it is made */
    VOUCH_TAGS_SIZE_MAX = 4 << 20,   /* bytes of what they are about, each once */
    VOUCH_QUOTERS_MAX = 4,           /* peers named as quoting one endorsement */
    VOUCH_PEOPLE_MAX = 1 << 18,      /* people they are by or about */
    CREDENTIAL_SIZE_MAX = 256 << 10, /* a W3C credential or presentation from anywhere */
    CREDENTIAL_DEPTH_MAX = 32,       /* nesting of its JSON; ours nests five */
    CREDENTIAL_PROOFS_MAX = 8,       /* signature checks one credential may cost */
    CREDENTIALS_MAX = 256,           /* in one file or presentation */

    SHARE_SIZE_MAX = 8192,      /* a shared contact: four texts and a dozen addresses fit */
    SHARE_TEXT_SIZE_MAX = 1000, /* bytes of one text or value, as in a contact: TEXT_SIZE_MAX */
    SHARE_WHY_SIZE_MAX = 280,   /* the line beside it, like that of a pass */
    SHARE_VALUES_MAX = 16,      /* e-mails, phones, web addresses, tags: of each so many */
    SHARES_PER_PEER_MAX = 1000, /* of one peer at a time: an address book is not handed over */
    SHARES_WAITING_MAX = 50,    /* of one peer and not decided; more show when these are */
    SHARE_NEWS_HOURS = 24,      /* the owner is told once a day that one changed or was refused */

    IMPORT_FILE_SIZE_MAX = 256 << 20, /* an address book file: hundreds of thousands of cards */
    IMPORT_STEP = 100000,             /* people one transaction writes */
    IMPORT_TOLD_MAX = 1000,           /* lines of the file that an answer speaks of */
    IMPORT_DISK_MIN = 64 << 20,       /* bytes of the disk that are kept for edits by hand */
    IMPORT_HEAD_SIZE = 64 << 10,      /* bytes that are looked at to find out the format */
    IMPORT_MATCH_LOOKS_MAX = 64,      /* people of one name, or of one e-mail, that are looked at */
    IMPORT_BASE_MAX = 128,            /* values of one contact that are known to be a file's */
    PERSON_SIZE_MAX = 220 << 10,      /* bytes of all values: with its framing an edit fits */
    PERSON_VALUES_MAX = 1000,         /* an edit holds EDIT_WRITES_MAX writes, some are our own */
    PERSON_JSON_MAX = 1 << 20,        /* bytes of one contact in JSON */
    PERSON_JSON_DEPTH = 8,            /* ours nest three */
    VCARD_LINE_MAX = 1 << 20,         /* unfolded; photos of a megapixel camera fit */
    VCARD_PROPERTIES_MAX = 500,       /* of one card: real ones have some dozens */
    VCARD_GROUPS_MAX = 64,            /* of one card; properties of more stand alone */
    VCARD_PHOTO_MAX = 190 << 10,      /* bytes of base64: with the rest it fits an entry */
    CSV_CELLS_MAX = 1000,             /* of one row: Outlook has 92 columns */
    CSV_ROW_MAX = 1 << 20,            /* bytes of one row's cells */
    CSV_RESTARTS_MAX = 16,            /* each may cost one more look at CSV_ROW_MAX bytes */
    COLUMNS_NAME_MAX = 100,           /* bytes of a column's name that is kept */
    COLUMNS_SEARCH_ROWS = 40,         /* rows that may stand before the names of the columns */

    MARKS_PER_MESSAGE_MAX = 1024, /* 1,024 marks of 75 bytes fit one message */
    ACKS_PER_MESSAGE_MAX = 1024,
    LOGS_PER_PEER_MAX = 256, /* live logs a peer may have in what it writes for me */

    PEER_ENTRIES_MAX = 100000, /* of a peer's, by default; half of them is a hundred a day for a */
    PEER_BYTES_MAX = 64 << 20, /* year and a half. Payloads, as sealed */
    PEER_ROOM_MIN_PART = 16,   /* taking goes on when a sixteenth of each is free */
    PEER_GONE_BYTES = 128,     /* of an entry without its payload a row is left */
    PEER_PORTION_ENTRIES = 1024,
    PEER_PORTION_BYTES = 1 << 20, /* taken before it is looked whether there is room still */
    PEER_ENTRIES_LEAST = 1000, /* an owner may ask for less: still a card, a door and their keys */
    PEER_MIB_MAX = 1 << 20,    /* and for more: a disk of today */

    FACT_SIZE_MAX = 2048,        /* a statement about a device: small, but for its signer's chain */
    TRACE_TAGS_MAX = 64,         /* block ends one message names: 16,384 entries of a log */
    WANTS_PER_MESSAGE_MAX = 256, /* payloads asked for at a time: as many as a block has */
    FACTS_PER_MESSAGE_MAX = 64,  /* statements about devices: 128 KiB at most */
    RETURN_EPOCHS_MAX = 64,      /* epochs one returned batch can name; more stay unread */
    SPACE_LACK_MS = 60 * 1000,   /* then the device that opened an epoch has had time to grant it */
    RETURN_WAIT_DAYS = 1,        /* a sibling that lives has said by then whom it removed */
    RETURN_SIZE_MAX = BATCH_SIZE_MAX + (16 << 10), /* a batch, framed, with its epochs */

    CREDIT_START =
        1 << 20, /* bytes of batches a receiver takes unasked: two of the largest and more */
    CREDIT_MAX = 8 << 20,

    SESSION_WORK_MAX = 32768, /* units of about 10 us that one peer's session looks up at once: the
                                 marks of all logs that two members can share, and again */
    SESSION_WORK_PER_MS = 16  /* and then: a sixth of one core, tags of 1,000 blocks a second */
};

#define MS_PER_DAY (UINT64_C(24) * 3600 * 1000)
#define COUNTER_MAX (UINT64_C(1) << 40)     /* a field's counter; beyond it a write is malformed */
#define LOG_SIZE_MAX (UINT64_C(1) << 40)    /* entries of one log */
#define TIME_MIN_MS UINT64_C(1577836800000) /* 2020-01-01: earlier times are clamped in merging */
#define TIME_MAX_MS UINT64_C(4102444800000) /* 2100-01-01: later times are clamped in merging */

#endif
