package market

import (
	"regexp"
	"strings"
	"sync"
)

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
	Sample                      string // a postal code of that form
}

// Postal reports a postal code of the form that the country uses.
func (c Country) Postal(code string) bool {
	form := postal()[c.Code]
	return form == nil || form.MatchString(strings.TrimSpace(code))
}

// postal are the forms, compiled.
var postal = sync.OnceValue(func() map[string]*regexp.Regexp {
	out := map[string]*regexp.Regexp{}
	for _, c := range countries {
		if c.PostalCode != "" {
			out[c.Code] = regexp.MustCompile(c.PostalCode)
		}
	}
	return out
})

var countries = []Country{
	{"US", "United States", "en-US", "NorthAndLatinAmerica", "USD", []string{"en", "es"}, []string{"1"}, strings.Fields("AK AL AR AZ CA CO CT DC DE FL GA HI " +
		"IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"),
		`^\d{5}(-\d{4})?$`, false, "98052"},
	{"CA", "Canada", "en-CA", "NorthAndLatinAmerica", "CAD", []string{"en", "fr"}, []string{"1"}, strings.Fields("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
		`^[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d$`, false, "K1A 0B1"},
	{"GB", "United Kingdom", "en-GB", "EuropeAndMiddleEastAndAfrica", "GBP", []string{"en"}, []string{"44"}, nil,
		`^[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}$`, true, "SW1A 1AA"},
	{"IE", "Ireland", "en-IE", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"en"}, []string{"353"}, nil, "", true, "D02 AF30"},
	{"DE", "Germany", "de-DE", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"de"}, []string{"49"}, nil, `^\d{5}$`, true, "10115"},
	{"FR", "France", "fr-FR", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"fr"}, []string{"33"}, nil, `^\d{5}$`, true, "75001"},
	{"NL", "Netherlands", "nl-NL", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"nl"}, []string{"31"}, nil, `^\d{4} ?[A-Za-z]{2}$`, true, "1012 AB"},
	{"BE", "Belgium", "nl-BE", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"nl", "fr"}, []string{"32"}, nil, `^\d{4}$`, true, "1000"},
	{"AT", "Austria", "de-AT", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"de"}, []string{"43"}, nil, `^\d{4}$`, true, "1010"},
	{"ES", "Spain", "es-ES", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"es"}, []string{"34"}, nil, `^\d{5}$`, true, "28001"},
	{"IT", "Italy", "it-IT", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"it"}, []string{"39"}, nil, `^\d{5}$`, true, "00118"},
	{"PT", "Portugal", "pt-PT", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"pt"}, []string{"351"}, nil, `^\d{4}-\d{3}$`, true, "1100-148"},
	{"FI", "Finland", "fi-FI", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"fi"}, []string{"358"}, nil, `^\d{5}$`, true, "00100"},
	{"SE", "Sweden", "sv-SE", "EuropeAndMiddleEastAndAfrica", "SEK", []string{"sv"}, []string{"46"}, nil, `^\d{3} ?\d{2}$`, true, "111 20"},
	{"DK", "Denmark", "da-DK", "EuropeAndMiddleEastAndAfrica", "DKK", []string{"da"}, []string{"45"}, nil, `^\d{4}$`, true, "1050"},
	{"NO", "Norway", "nb-NO", "EuropeAndMiddleEastAndAfrica", "NOK", []string{"nb"}, []string{"47"}, nil, `^\d{4}$`, true, "0150"},
	{"CH", "Switzerland", "de-CH", "EuropeAndMiddleEastAndAfrica", "CHF", []string{"de", "fr", "it"}, []string{"41"}, nil, `^\d{4}$`, true, "3000"},
	{"PL", "Poland", "pl-PL", "EuropeAndMiddleEastAndAfrica", "PLN", []string{"pl"}, []string{"48"}, nil, `^\d{2}-\d{3}$`, true, "00-001"},
	{"TR", "Türkiye", "tr-TR", "EuropeAndMiddleEastAndAfrica", "EUR", []string{"tr"}, []string{"90"}, nil, `^\d{5}$`, true, "06100"},
	{"AE", "United Arab Emirates", "en-AE", "EuropeAndMiddleEastAndAfrica", "USD", []string{"en", "ar"}, []string{"971"}, nil, "", true, ""},
	{"JP", "Japan", "ja-JP", "AsiaPacific", "JPY", []string{"ja"}, []string{"81"}, nil, `^\d{3}-?\d{4}$`, false, "100-0001"},
	{"AU", "Australia", "en-AU", "AsiaPacific", "AUD", []string{"en"}, []string{"61"}, strings.Fields("ACT NSW NT QLD SA TAS VIC WA"),
		`^\d{4}$`, false, "2000"},
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
