package market

import "strings"

// Country is where a customer can be: the rules for its addresses (Microsoft:
// Country information resources).
type Country struct {
	Code, Name, Culture, Region string
	Currency                    string
	Languages                   []string
	Calling                     []string
	States                      []string // required when there are any
	PostalCode                  string   // a regular expression; "" when none is asked
	VAT                         bool
}

var countries = []Country{
	{"US", "United States", "en-US", "NorthAndLatinAmerica", "USD", []string{"en", "es"}, []string{"1"}, strings.Fields("AK AL AR AZ CA CO CT DC DE FL GA HI " +
		"IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"), `^\d{5}(-\d{4})?$`, false},
	{"CA", "Canada", "en-CA", "NorthAndLatinAmerica", "CAD", []string{"en", "fr"}, []string{"1"}, strings.Fields("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
		`^[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d$`, false},
	{"GB", "United Kingdom", "en-GB", "EuropeAndMiddleEastAndAfrica", "GBP", []string{"en"}, []string{"44"}, nil,
		`^[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}$`, true},
	{"IE", "Ireland", "en-IE", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"en"}, []string{"353"}, nil, "", true},
	{"DE", "Germany", "de-DE", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"de"}, []string{"49"}, nil, `^\d{5}$`, true},
	{"FR", "France", "fr-FR", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"fr"}, []string{"33"}, nil, `^\d{5}$`, true},
	{"NL", "Netherlands", "nl-NL", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"nl"}, []string{"31"}, nil, `^\d{4} ?[A-Za-z]{2}$`, true},
	{"BE", "Belgium", "nl-BE", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"nl", "fr"}, []string{"32"}, nil, `^\d{4}$`, true},
	{"AT", "Austria", "de-AT", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"de"}, []string{"43"}, nil, `^\d{4}$`, true},
	{"ES", "Spain", "es-ES", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"es"}, []string{"34"}, nil, `^\d{5}$`, true},
	{"IT", "Italy", "it-IT", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"it"}, []string{"39"}, nil, `^\d{5}$`, true},
	{"PT", "Portugal", "pt-PT", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"pt"}, []string{"351"}, nil, `^\d{4}-\d{3}$`, true},
	{"FI", "Finland", "fi-FI", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"fi"}, []string{"358"}, nil, `^\d{5}$`, true},
	{"SE", "Sweden", "sv-SE", "EuropeAndMiddleEastAndAfrica", "SEK", []string{"sv"}, []string{"46"}, nil, `^\d{3} ?\d{2}$`, true},
	{"DK", "Denmark", "da-DK", "EuropeAndMiddleEastAndAfrica", "DKK", []string{"da"}, []string{"45"}, nil, `^\d{4}$`, true},
	{"NO", "Norway", "nb-NO", "EuropeAndMiddleEastAndAfrica", "NOK", []string{"nb"}, []string{"47"}, nil, `^\d{4}$`, true},
	{"CH", "Switzerland", "de-CH", "EuropeAndMiddleEastAndAfrica", "CHF", []string{"de", "fr", "it"}, []string{"41"}, nil, `^\d{4}$`, true},
	{"PL", "Poland", "pl-PL", "EuropeAndMiddleEastAndAfrica", "PLN", []string{"pl"}, []string{"48"}, nil, `^\d{2}-\d{3}$`, true},
	{"TR", "Türkiye", "tr-TR", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"tr"}, []string{"90"}, nil, `^\d{5}$`, true},
	{"AE", "United Arab Emirates", "en-AE", "EuropeAndMiddleEastAndAfrica", "USD", []string{"en", "ar"}, []string{"971"}, nil, "", true},
	{"JP", "Japan", "ja-JP", "AsiaPacific", "JPY", []string{"ja"}, []string{"81"}, nil, `^\d{3}-?\d{4}$`, false},
	{"AU", "Australia", "en-AU", "AsiaPacific", "AUD", []string{"en"}, []string{"61"}, strings.Fields("ACT NSW NT QLD SA TAS VIC WA"), `^\d{4}$`, false},
}

// FindCountry finds a country by its code of two letters, without case.
func FindCountry(code string) (Country, bool) {
	for _, c := range countries {
		if strings.EqualFold(c.Code, code) {
			return c, true
		}
	}
	return Country{}, false
}
