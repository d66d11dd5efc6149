package worlds

import (
	"fmt"
	"strings"
)

// actor is a person or an application.
type actor struct {
	id, name, upn string // upn is "" of an application
	app           string // application id; "" of a person
	tenant        string
	country, city string
	addresses     []string
	office        bool // works at the customer's shared address, mostly
}

// caller is how the Activity Log calls it.
func (a *actor) caller() string {
	if a.upn != "" {
		return a.upn
	}
	return a.id
}

// address is where the actor is right now.
func (a *actor) address(d *dice) string {
	if a.office && d.odds(70) {
		return a.addresses[0]
	}
	return pick(d, a.addresses)
}

var countries = []struct{ code, city, tld string }{
	{"DE", "Berlin", "de"}, {"DE", "Hamburg", "de"}, {"NL", "Utrecht", "nl"}, {"AT", "Linz", "at"}, {"CH", "Bern", "ch"},
	{"FR", "Lyon", "fr"}, {"SE", "Malmö", "se"}, {"GB", "Leeds", "co.uk"},
}

// abroad is where travellers go and attackers come from: both from the same list.
var abroad = []struct{ code, city string }{
	{"US", "Ashburn"}, {"VN", "Hanoi"}, {"BR", "São Paulo"}, {"NG", "Lagos"}, {"SG", "Singapore"}, {"RU", "Moscow"}, {"TR", "Istanbul"},
	{"ES", "Palma"}, {"IT", "Milan"}, {"IN", "Pune"}, {"ID", "Jakarta"}, {"PL", "Warsaw"},
}

// block is the first number of a country's addresses.
func block(country string) int {
	const first = "DENLATCHFRSEGBUSVNBRNGSGRUTRESITINIDPL"
	return 60 + 7*strings.Index(first, country)/2
}

func ip(d *dice, country string) string {
	return fmt.Sprintf("%d.%d.%d.%d", block(country), d.n(256), d.n(256), d.span(1, 254))
}

// nearby is another address of the same network: a lease that changed.
func nearby(d *dice, address string) string {
	return address[:strings.LastIndexByte(address, '.')+1] + num(d.span(1, 254))
}

var (
	given   = []string{"Anna", "Jonas", "Mia", "Paul", "Lena", "Emil", "Sofie", "Karl", "Nora", "Tim", "Eva", "Jan", "Ida", "Max", "Vera", "Noah"}
	family  = []string{"Becker", "Vogel", "Jansen", "Keller", "Moreau", "Lind", "Walker", "Huber", "Braun", "Visser", "Roth", "Koch", "Berg", "Weiss"}
	trades  = []string{"Logistik", "Bakery", "Optik", "Metall", "Care", "Druck", "Energy", "Films", "Labs", "Foods", "Travel", "Planung", "Robotics"}
	sources = []string{"Nord", "Alpen", "Kiez", "Delta", "Linden", "Hafen", "Mühlen", "Polder", "Rhein", "Viking", "Canal", "Burg"}
)

func person(d *dice, tenant, domain, country, city string, office string) *actor {
	first, last := pick(d, given), pick(d, family)
	a := &actor{id: d.guid(), name: first + " " + last, upn: strings.ToLower(first+"."+last) + num(d.n(90)+10) + "@" + domain, tenant: tenant,
		country: country, city: city, office: office != ""}
	if office != "" {
		a.addresses = append(a.addresses, office)
	}
	house := ip(d, country)
	a.addresses = append(a.addresses, house, nearby(d, house))
	if d.odds(40) {
		a.addresses = append(a.addresses, ip(d, country)) // on the telephone's network
	}
	return a
}

func application(d *dice, tenant, name, country string) *actor {
	a := &actor{id: d.guid(), app: d.guid(), name: name, tenant: tenant, country: country, city: "Amsterdam"}
	base := ip(d, country)
	for range 6 {
		a.addresses = append(a.addresses, nearby(d, base))
	}
	return a
}

// people makes the partner and its customers, with who works there.
func (w *World) people(d *dice) {
	w.partner = d.guid()
	place := countries[d.n(3)]
	for range d.span(1, 4) {
		w.techs = append(w.techs, person(d, w.partner, "partner-"+num(w.N)+".example", place.code, place.city, ip(d, place.code)))
	}
	left := 30
	for i := range 1 + min(d.n(12), d.n(12)) {
		place := pick(d, countries)
		name := pick(d, sources) + " " + pick(d, trades)
		c := &Customer{ID: d.guid(), Name: name + " GmbH", Domain: fmt.Sprintf("%s%d.example", strings.ToLower(strings.Fields(name)[1]), i),
			Country: place.code, Since: -24 * d.span(60, 900), plan: d.guid(), zone: 1, office: ip(d, place.code)}
		for range d.span(1, 4) {
			c.admins = append(c.admins, person(d, c.ID, c.Domain, place.code, place.city, c.office))
		}
		if d.odds(60) {
			c.pipe = application(d, c.ID, pick(d, []string{"github-deploy", "azure-devops-prod", "terraform-cloud", "gitlab-runner"}), "NL")
		}
		for s := range min(left, d.span(1, 3)) {
			c.Subscriptions = append(c.Subscriptions, &Subscription{ID: d.guid(), customer: c, home: pick(d, home),
				Name: pick(d, []string{"Azure plan", "Production", "Dev/Test", "Workloads", "Platform"}) + " " + num(s+1)})
		}
		left -= len(c.Subscriptions)
		w.Customers = append(w.Customers, c)
	}
}

// hands is who usually works on a customer: its administrators, and often the partner's people.
func (w *World) hands(d *dice, c *Customer) *actor {
	if d.odds(35) {
		return pick(d, w.techs)
	}
	return pick(d, c.admins)
}
