//! Who plays: the sample network's sites and carriers, and three phones.

use crate::ids::SiteName;

/// One part in the play, a column of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The head office.
    London,
    /// Where Ada travels.
    Paris,
    /// Nothing happens there, and nothing must.
    Berlin,
    /// 202 in London.
    Charles,
    /// 201's own phone in London.
    Desk,
    /// A phone in Paris at which 201 logs in.
    Guest,
    /// London's carrier.
    Bt,
    /// London's other carrier.
    Mobile,
    /// Paris's carrier.
    Orange,
    /// Berlin's carrier.
    Telekom,
}

/// What a part is played by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The site of that name in the sample.
    Site(&'static str),
    /// A phone with this account, at that site.
    Phone(&'static str, Part),
    /// A carrier of that site, with its main number.
    Carrier(&'static str, Part),
}

impl Part {
    /// In the order in which they are introduced.
    pub const ALL: [Self; 10] = [
        Self::London,
        Self::Paris,
        Self::Berlin,
        Self::Charles,
        Self::Desk,
        Self::Guest,
        Self::Bt,
        Self::Mobile,
        Self::Orange,
        Self::Telekom,
    ];

    /// The sites.
    pub const SITES: [Self; 3] = [Self::London, Self::Paris, Self::Berlin];

    /// At the head of a column.
    pub fn name(self) -> &'static str {
        match self {
            Self::London => "London",
            Self::Paris => "Paris",
            Self::Berlin => "Berlin",
            Self::Charles => "202",
            Self::Desk => "201 London",
            Self::Guest => "201 Paris",
            Self::Bt => "bt",
            Self::Mobile => "mobile",
            Self::Orange => "orange",
            Self::Telekom => "telekom",
        }
    }

    /// In a few words.
    pub fn who(self) -> &'static str {
        match self {
            Self::London => "site, extensions 2XX",
            Self::Paris => "site, extensions 3XX",
            Self::Berlin => "site, extensions 4XX",
            Self::Charles => "phone of Charles Babbage, in London",
            Self::Desk => "phone of Ada Lovelace, in London",
            Self::Guest => "a phone in Paris that Ada will use",
            Self::Bt => "carrier of London",
            Self::Mobile => "carrier of London, as a reserve",
            Self::Orange => "carrier of Paris",
            Self::Telekom => "carrier of Berlin",
        }
    }

    /// What plays it.
    pub fn role(self) -> Role {
        match self {
            Self::London => Role::Site("london"),
            Self::Paris => Role::Site("paris"),
            Self::Berlin => Role::Site("berlin"),
            Self::Charles => Role::Phone("202", Self::London),
            Self::Desk => Role::Phone("201", Self::London),
            Self::Guest => Role::Phone("201", Self::Paris),
            Self::Bt => Role::Carrier("+442071110000", Self::London),
            Self::Mobile => Role::Carrier("+447700900000", Self::London),
            Self::Orange => Role::Carrier("+33140000000", Self::Paris),
            Self::Telekom => Role::Carrier("+493040000000", Self::Berlin),
        }
    }

    /// Its address in the sample's files; phones have none.
    pub fn sample_address(self) -> Option<&'static str> {
        match self {
            Self::London => Some("127.0.0.1:5060"),
            Self::Paris => Some("127.0.0.2:5060"),
            Self::Berlin => Some("127.0.0.3:5060"),
            Self::Bt => Some("127.0.0.10:5080"),
            Self::Mobile => Some("127.0.0.11:5080"),
            Self::Orange => Some("127.0.0.20:5080"),
            Self::Telekom => Some("127.0.0.30:5080"),
            Self::Charles | Self::Desk | Self::Guest => None,
        }
    }

    /// Whether it is a site.
    pub fn is_site(self) -> bool {
        matches!(self.role(), Role::Site(_))
    }

    /// The site of that name.
    pub fn of_site(name: &SiteName) -> Option<Self> {
        Self::SITES.into_iter().find(|part| matches!(part.role(), Role::Site(own) if own == name.as_str()))
    }
}
