package market

import (
	"strings"
	"testing"
	"time"
)

// TestCatalogue: every row can be found by what it says, and what it points to exists.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range Products() {
		if !strings.Contains(p.Description, Invented) {
			t.Errorf("%s does not say that prices are invented", p.ID)
		}
		for i := range p.SKUs {
			o := Offer{&p, &p.SKUs[i]}
			if seen[o.OfferID()] {
				t.Errorf("%s stands twice", o.OfferID())
			}
			seen[o.OfferID()] = true
			got, ok := Find(o.OfferID())
			if !ok || got.OfferID() != o.OfferID() {
				t.Errorf("%s is not found", o.OfferID())
			}
			if o.SKU.Title == "" || o.Min < 1 || o.Max < o.Min || len(o.Terms) == 0 {
				t.Errorf("%s is not whole", o.OfferID())
			}
			for _, key := range append(append([]string{}, o.Upgrades...), o.Needs...) {
				if _, ok := Find(key); !ok || key == o.Key() {
					t.Errorf("%s points to %s", o.OfferID(), key)
				}
			}
			if o.Kind == Licences && (o.Part == "" || len(o.Directory) != 36 || len(o.Plans) == 0) {
				t.Errorf("%s gives no licence", o.OfferID())
			}
			for _, term := range o.Terms {
				price := o.PriceOf(term.Duration, term.Cycle, "USD")
				if free := o.Trial || o.Kind == AzurePlan; free != (price == 0) {
					t.Errorf("%s costs %d", o.OfferID(), price)
				}
				if c, ok := Cycle(term.Cycle); !ok || c != term.Cycle || o.Kind == Licences && Months(term.Cycle) > Months(term.Duration) {
					t.Errorf("%s has the term %v", o.OfferID(), term)
				}
			}
		}
	}
	for _, id := range []string{"", "x", "CFQ7TTC0LH18", "CFQ7TTC0LH18:0001:x", "CFQ7TTC0LH18:9", "a:b:c:d"} {
		if _, ok := Find(id); ok {
			t.Errorf("%q was found", id)
		}
	}
	if o, ok := ByTitle("microsoft 365 business basic"); !ok || o.Trial || o.Part != "O365_BUSINESS_ESSENTIALS" {
		t.Errorf("by title: %v", ok)
	}
}

func TestCountries(t *testing.T) {
	t.Parallel()
	for _, c := range countries {
		if got, ok := FindCountry(strings.ToLower(c.Code)); !ok || got.Name != c.Name {
			t.Errorf("%s is not found", c.Code)
		}
		if _, ok := FindCurrency(c.Currency); !ok || len(c.Languages) == 0 || c.Culture == "" {
			t.Errorf("%s is not whole", c.Code)
		}
		if !c.Postal(c.Sample) || c.PostalCode != "" && c.Postal("!") {
			t.Errorf("postal codes of %s", c.Code)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount Cents
		n, of  int64
		want   Cents
	}{{100, 1, 3, 33}, {200, 1, 3, 67}, {-100, 1, 2, -50}, {-5, 1, 2, -3}, {1, 1, 0, 0}, {1000, 30, 30, 1000}} {
		if got := c.amount.Part(c.n, c.of); got != c.want {
			t.Errorf("%d·%d/%d is %d, want %d", c.amount, c.n, c.of, got, c.want)
		}
	}
	if Convert(1000, "USD", "SEK") != 10_000 || Convert(900, "EUR", "USD") != 1000 || Convert(7, "EUR", "eur") != 7 {
		t.Error("the rates are not what the table says")
	}
	o, _ := Find("CFQ7TTC0LH18:0001")
	for _, c := range []struct {
		term, cycle, currency string
		want                  Cents
	}{{Month, Monthly, "USD", 600}, {Year, Annual, "USD", 6000}, {Year, Monthly, "EUR", 450}, {ThreeYears, Triennial, "USD", 16_200}} {
		if got := o.PriceOf(c.term, c.cycle, c.currency); got != c.want {
			t.Errorf("%+v costs %d", c, got)
		}
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 8, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		from time.Time
		n    int
		want time.Time
	}{{day(2026, 1, 31), 1, day(2026, 2, 28)}, {day(2024, 1, 31), 1, day(2024, 2, 29)}, {day(2026, 12, 5), 1, day(2027, 1, 5)},
		{day(2024, 2, 29), 12, day(2025, 2, 28)}, {day(2026, 3, 31), 0, day(2026, 3, 31)}} {
		if got := After(c.from, c.n); !got.Equal(c.want) {
			t.Errorf("%s and %d months: %s, want %s", c.from, c.n, got, c.want)
		}
	}
	for text, want := range map[string]string{"Monthly": Monthly, "OneTime": OneTime, "one_time": OneTime, "ANNUAL": Annual} {
		if got, ok := Cycle(text); !ok || got != want {
			t.Errorf("%s is %s", text, got)
		}
	}
	if _, ok := Cycle("weekly"); ok {
		t.Error("weekly is no cycle")
	}
}
