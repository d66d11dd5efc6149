package main

import "time"

// The partner.
const (
	tenantID   = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	tenantName = "Contoso Cloud Partners"
	domain     = "contoso.com"
	initial    = "contoso.onmicrosoft.com"
)

// The moments of the sample.
var (
	asOf      = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	logFrom   = time.Date(2026, 10, 21, 0, 0, 0, 0, time.UTC) // the JSON lines
	olderFrom = time.Date(2026, 10, 7, 0, 0, 0, 0, time.UTC)  // the Log Analytics rows
)

// place is where people sign in from. Addresses are of the documentation
// blocks.
type place struct {
	net, city, state, country string
	lat, lon                  float64
	trusted                   bool
}

var (
	office = place{net: "203.0.113.", city: "Dublin", state: "Dublin", country: "IE", lat: 53.349, lon: -6.260, trusted: true}
	branch = place{net: "198.51.100.", city: "Goteborg", state: "Vastra Gotalands Lan", country: "SE", lat: 57.708, lon: 11.974}
	dublin = place{net: "192.0.2.", city: "Dublin", state: "Dublin", country: "IE", lat: 53.344, lon: -6.267}
	munich = place{net: "192.0.2.", city: "Munich", state: "Bavaria", country: "DE", lat: 48.137, lon: 11.575}
	cloud  = place{net: "192.0.2.", city: "Amsterdam", state: "Noord-Holland", country: "NL", lat: 52.370, lon: 4.895}
	osaka  = place{net: "192.0.2.", city: "Osaka", state: "Osaka", country: "JP", lat: 34.694, lon: 135.502}
	abroad = place{net: "198.51.100.", city: "Curitiba", state: "Parana", country: "BR", lat: -25.428, lon: -49.273}
)

// person is an account and how it lives.
type person struct {
	upn, name string
	title     string
	roles     []string // directory roles, active
	eligible  []string // directory roles on request
	methods   []string // registered, as Graph names them; nil is none
	home      place
	office    float64 // share of sign-ins from the trusted office
	active    float64 // chance of an interactive sign-in on a weekday
	guest     bool
	disabled  bool
	synced    bool // from the on-premises directory
	created   time.Time
}

func (p *person) id() string { return guid("user/" + p.upn) }

func (p *person) admin() bool { return len(p.roles) > 0 }

var (
	push     = []string{"microsoftAuthenticatorPush", "softwareOneTimePasscode"}
	keyed    = []string{"fido2SecurityKey", "microsoftAuthenticatorPush", "softwareOneTimePasscode"}
	hello    = []string{"windowsHelloForBusiness", "microsoftAuthenticatorPush"}
	code     = []string{"softwareOneTimePasscode"}
	phone    = []string{"mobilePhone"}
	both     = []string{"mobilePhone", "microsoftAuthenticatorPush", "softwareOneTimePasscode"}
	longAgo  = time.Date(2021, 3, 8, 9, 12, 44, 0, time.UTC)
	lastWeek = time.Date(2026, 11, 16, 8, 5, 10, 0, time.UTC)
)

// people are all accounts of the tenant.
var people = []person{
	{upn: "mia.lindqvist@" + domain, name: "Mia Lindqvist", title: "Head of Security", roles: []string{"Global Administrator"}, methods: keyed, home: dublin, office: .3, active: .8},
	{upn: "ravi.menon@" + domain, name: "Ravi Menon", title: "Head of Operations", roles: []string{"Global Administrator"}, methods: push, home: dublin, office: .4, active: .7},
	{upn: "elena.petrova@" + domain, name: "Elena Petrova", title: "Security Engineer", roles: []string{"Security Administrator"}, methods: push, home: munich, active: .8},
	{upn: "kwame.osei@" + domain, name: "Kwame Osei", title: "Identity Engineer", roles: []string{"Conditional Access Administrator"}, methods: hello, home: dublin, office: .5, active: .7},
	{upn: "aoife.byrne@" + domain, name: "Aoife Byrne", title: "Service Desk Lead", roles: []string{"Helpdesk Administrator"}, methods: push, home: dublin, office: .5, active: .8, synced: true},
	{upn: "jonas.weber@" + domain, name: "Jonas Weber", title: "Messaging Engineer", roles: []string{"Exchange Administrator"}, methods: both, home: munich, active: .7},
	{upn: "sofia.rossi@" + domain, name: "Sofia Rossi", title: "Service Desk", roles: []string{"User Administrator"}, methods: phone, home: branch, active: .6},
	{upn: "daniel.novak@" + domain, name: "Daniel Novak", title: "Billing", roles: []string{"Billing Administrator"}, methods: push, home: branch, active: .6},
	{upn: "grace.adeyemi@" + domain, name: "Grace Adeyemi", title: "Platform Engineer", eligible: []string{"Cloud Application Administrator"}, methods: push, home: dublin, office: .4, active: .7},
	{upn: "tomas.silva@" + domain, name: "Tomás Silva", title: "Cloud Engineer", eligible: []string{"Global Reader"}, methods: hello, home: munich, active: .7},

	{upn: "lena.fischer@" + domain, name: "Lena Fischer", title: "Cloud Engineer", methods: push, home: munich, active: .7},
	{upn: "oskar.berg@" + domain, name: "Oskar Berg", title: "Cloud Engineer", methods: push, home: branch, active: .7},
	{upn: "priya.nair@" + domain, name: "Priya Nair", title: "Customer Success", methods: push, home: dublin, office: .3, active: .6},
	{upn: "li.chen@" + domain, name: "陳 麗", title: "Customer Success", methods: code, home: dublin, office: .3, active: .6},
	{upn: "noor.haddad@" + domain, name: "نور حداد", title: "Customer Success", methods: push, home: munich, active: 0},
	{upn: "ines.costa@" + domain, name: "Inês Costa", title: "Project Manager", methods: push, home: munich, active: .5},
	{upn: "marek.kowal@" + domain, name: "Marek Kowal", title: "Project Manager", methods: both, home: branch, active: .5},
	{upn: "yara.santos@" + domain, name: "Yara Santos", title: "Licensing", methods: push, home: dublin, office: .2, active: .6, synced: true},
	{upn: "henrik.dahl@" + domain, name: "Henrik Dahl", title: "Licensing", methods: phone, home: branch, active: .5, synced: true},
	{upn: "claire.dubois@" + domain, name: "Claire Dubois", title: "Finance", methods: push, home: dublin, office: .4, active: .5, synced: true},
	{upn: "peter.nagy@" + domain, name: "Péter Nagy", title: "Finance", methods: push, home: munich, active: .5},
	{upn: "anna.virtanen@" + domain, name: "Anna Virtanen", title: "Marketing", methods: push, home: branch, active: .5},
	{upn: "hugo.martin@" + domain, name: "Hugo Martin", title: "Marketing", methods: push, home: dublin, office: .2, active: .4},
	{upn: "zeynep.kaya@" + domain, name: "Zeynep Kaya", title: "People", methods: hello, home: munich, active: .4},
	{upn: "samuel.okoro@" + domain, name: "Samuel Okoro", title: "Procurement", methods: push, home: dublin, office: .3, active: .4, synced: true},
	{upn: "eva.horvat@" + domain, name: "Eva Horvat", title: "Legal", methods: keyed, home: munich, active: .3},
	{upn: "brian.walsh@" + domain, name: "Brian Walsh", title: "Sales", methods: push, home: dublin, office: .75, active: .7, synced: true},
	{upn: "niamh.kelly@" + domain, name: "Niamh Kelly", title: "Sales", methods: phone, home: dublin, office: .8, active: .7, synced: true},
	{upn: "sean.murphy@" + domain, name: "Seán Murphy", title: "Sales", methods: nil, home: dublin, office: 1, active: .7, synced: true},
	{upn: "hannes.brandt@" + domain, name: "Hannes Brandt", title: "Warehouse", methods: phone, home: dublin, office: 1, active: .3, synced: true},
	{upn: "lucia.moreau@" + domain, name: "Lucía Moreau", title: "Sales", methods: nil, home: dublin, office: .6, active: .9, created: lastWeek},

	{upn: "yumi.sato_fabrikam.com#EXT#@" + initial, name: "佐藤 由美", title: "Consultant", methods: nil, home: osaka, active: .25, guest: true},
	{upn: "carl.ek_adatum.com#EXT#@" + initial, name: "Carl Ek", title: "Auditor", methods: push, home: branch, active: 0, guest: true},

	{upn: "svc-billing@" + domain, name: "Billing Sync", title: "Script", methods: nil, home: cloud},
	{upn: "scanner@" + domain, name: "Scanner 2nd floor", title: "Device", methods: nil, home: office, office: 1},
	{upn: "Sync_DC01_4f2a91c07b3e@" + initial, name: "On-Premises Directory Synchronization Service Account", roles: []string{"Directory Synchronization Accounts"}, home: office, office: 1},
	{upn: "emergency@" + initial, name: "Emergency Access", roles: []string{"Global Administrator"}, methods: nil, home: office},
	{upn: "frontdesk@" + domain, name: "Front Desk", title: "Shared", methods: nil, home: office, office: 1, active: 1},
	{upn: "info@" + domain, name: "Info shared mailbox", title: "Shared mailbox", methods: nil, home: office, disabled: true},
	{upn: "reception.goteborg@" + domain, name: "Reception Göteborg", title: "Shared", methods: code, home: branch, active: .6},
	{upn: "olga.ivanova@" + domain, name: "Olga Ivanova", title: "Left in May", methods: push, home: munich, disabled: true},
	{upn: "mark.jensen@" + domain, name: "Mark Jensen", title: "Left in August", methods: push, home: branch, disabled: true, synced: true},
}

func who(local string) *person {
	for i := range people {
		if people[i].upn == local || people[i].upn == local+"@"+domain || people[i].upn == local+"@"+initial {
			return &people[i]
		}
	}
	panic("nobody is called " + local)
}

// roles are the directory roles the sample uses: template id and whether
// Microsoft marks them privileged.
var roles = []struct {
	name, id   string
	privileged bool
}{
	{"Global Administrator", "62e90394-69f5-4237-9190-012177145e10", true},
	{"Security Administrator", "194ae4cb-b126-40b2-bd5b-6091b380977d", true},
	{"Conditional Access Administrator", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", true},
	{"Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8", true},
	{"Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de", false},
	{"User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1", true},
	{"Billing Administrator", "b0f54661-2d74-4c50-afa3-1ec803f12efe", false},
	{"Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7", true},
	{"Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451", true},
	{"Directory Synchronization Accounts", "d29b2b05-8046-44ba-8758-1e26182fcf32", false},
	{"Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", false},
	{"License Administrator", "4d6ac14f-3453-41d0-bef9-a3e0c569773a", false},
	{"Service Support Administrator", "f023fd81-a637-4b56-95fd-791ac0226033", false},
	{"Intune Administrator", "3a2c62db-5318-420d-8d74-23affee5d9d5", true},
	{"Security Reader", "5d6b6bb7-de71-4623-b4af-96380a352509", true},
}

func roleID(name string) string {
	for _, r := range roles {
		if r.name == name {
			return r.id
		}
	}
	panic("no role " + name)
}

// app is an application people or scripts sign in to.
type app struct{ id, name, resource, resourceID string }

var (
	portal   = app{"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", "Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013"}
	office30 = app{"4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome", "OfficeHome", "4765445b-32c6-49b0-83e6-1d93765276ca"}
	teams    = app{"1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams", "Microsoft Teams Services", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe"}
	outlook  = app{"d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office", "Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"}
	admin365 = app{"618dd325-23f6-4b6f-8380-4df78026e39b", "Microsoft 365 Admin portal", "Microsoft Graph", "00000003-0000-0000-c000-000000000000"}
	center   = app{"4990cffe-04e8-4e8b-808a-1175604b879f", "Microsoft Partner", "Microsoft Partner Center", "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"}
	azureCLI = app{"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI", "Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013"}
	exchange = app{"00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online", "Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"}
	connect  = app{"cb1056e2-e479-49de-ae31-7812af012ed8", "Microsoft Azure Active Directory Connect", "Windows Azure Active Directory", "00000002-0000-0000-c000-000000000000"}

	billing = app{guid("app/billing"), "Contoso Billing Sync", "Microsoft Partner Center", "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"}
	panel   = app{guid("app/panel"), "Contoso Control Panel", "Microsoft Partner Center", "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"}
	tickets = app{guid("app/tickets"), "Contoso Ticket Bridge", "Microsoft Graph", "00000003-0000-0000-c000-000000000000"}
	monitor = app{guid("app/monitor"), "Contoso Monitoring", "Microsoft Graph", "00000003-0000-0000-c000-000000000000"}
)

// Groups.
const (
	adminAgents = "AdminAgents"
	helpAgents  = "HelpdeskAgents"
	noGlass     = "CA-Exclude-BreakGlass"
	noScripts   = "CA-Exclude-Scripts"
	gdapOps     = "GDAP-Operations"
	gdapDesk    = "GDAP-ServiceDesk"
)

var groups = []struct {
	name, about string
	members     []string
}{
	{adminAgents, "Partner Center admin agents", []string{"mia.lindqvist", "ravi.menon", "grace.adeyemi", "tomas.silva", "lena.fischer"}},
	{helpAgents, "Partner Center helpdesk agents", []string{"aoife.byrne", "sofia.rossi", "oskar.berg"}},
	{noGlass, "Emergency access, excluded from Conditional Access", []string{"emergency"}},
	{noScripts, "Accounts that cannot answer a prompt", []string{"svc-billing", "scanner"}},
	{gdapOps, "Customer operations through GDAP", []string{"grace.adeyemi", "tomas.silva", "lena.fischer", "jonas.weber"}},
	{gdapDesk, "Customer service desk through GDAP", []string{"aoife.byrne", "sofia.rossi", "oskar.berg"}},
}

// customer is a company the partner sells to.
type customer struct {
	name, domain string
	dap          bool
	azure        bool
	admins, mfa  int // admins of the customer, and how many of them pass MFA
	users        int
}

func (c customer) tenant() string { return guid("customer/" + c.domain) }

var customers = []customer{
	{"Fabrikam, Inc.", "fabrikam.com", false, true, 3, 3, 84},
	{"Tailspin Toys", "tailspintoys.com", false, true, 2, 2, 41},
	{"Adatum Corporation", "adatum.com", false, true, 4, 3, 133},
	{"Wingtip Toys", "wingtiptoys.com", true, false, 2, 0, 17},
	{"Northwind Traders", "northwindtraders.com", false, true, 3, 3, 92},
	{"Litware, Inc.", "litware.com", false, false, 1, 1, 12},
	{"Proseware, Inc.", "proseware.com", false, true, 2, 2, 55},
	{"Fourth Coffee", "fourthcoffee.com", false, false, 1, 1, 9},
	{"Woodgrove Bank", "woodgrovebank.com", false, true, 5, 5, 210},
	{"Alpine Ski House", "alpineskihouse.com", false, false, 2, 1, 23},
	{"Coho Winery", "cohowinery.com", true, false, 1, 1, 6},
	{"Trey Research", "treyresearch.net", false, true, 3, 3, 38},
}
