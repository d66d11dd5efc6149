package entra

import (
	"strings"
	"sync"
)

// App is one of Microsoft's own apps: a resource that tokens are asked for, a
// client that people and scripts sign in with, or both.
type App struct {
	ID   string // app id, in lower case
	Name string // as we say it to people
	// Service is the display name of its service principal, "" where the partner
	// cloud has no such resource; URIs are its identifier URIs, of all clouds, the
	// first being what stands in tokens.
	Service string
	URIs    []string
	// Client is the display name as a client of sign-ins, "" where the partner
	// cloud has no such client.
	Client string
	Suite  Suite
	Tool   bool // a client that scripts sign in with
	Source Source
}

// Suite is a group of apps that a Conditional Access policy can name as one
// (contracts.md section 3.6). The word is what policies write, in lower case.
type Suite string

// The suites. An app that is in neither is said to be so; of one whose row says
// nothing it is not known.
const (
	SuiteUnknown Suite = ""
	NoSuite      Suite = "none"
	Office365    Suite = "office365"
	AdminPortals Suite = "microsoftadminportals"
)

// App ids that the code names.
const (
	AppGraph           = "00000003-0000-0000-c000-000000000000"
	AppAADGraph        = "00000002-0000-0000-c000-000000000000" // retired; decides for baseline scopes
	AppARM             = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
	AppPartnerCenter   = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	AppPartner         = "4990cffe-04e8-4e8b-808a-1175604b879f" // the portal, and its API for pricing and referrals
	AppGDAP            = "2832473f-ec63-45fb-976f-5d45a7d4bb91" // customers' consent to delegated administration
	AppExchange        = "00000002-0000-0ff1-ce00-000000000000"
	AppSharePoint      = "00000003-0000-0ff1-ce00-000000000000"
	AppManagementAPIs  = "c5393580-f805-4401-95e8-94b7a6ef2fc2"
	AppKeyVault        = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
	AppTeams           = "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe"
	AppAzurePortal     = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
	AppM365Portal      = "00000006-0000-0ff1-ce00-000000000000"
	AppM365Admin       = "618dd325-23f6-4b6f-8380-4df78026e39b"
	AppOfficeHome      = "4765445b-32c6-49b0-83e6-1d93765276ca"
	AppOffice          = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
	AppTeamsClient     = "1fec8e78-bce4-4aaf-ab1b-5451cc387264"
	AppEntraConnect    = "cb1056e2-e479-49de-ae31-7812af012ed8"
	AppAzureCLI        = "04b07795-8ddb-461a-bbee-02f9e1bf7b46" // Partner Center PowerShell's too
	AppAzurePowerShell = "1950a258-227b-4e31-a9cf-717495945fc2"
	AppExchangeREST    = "fb78d390-0c51-40cd-8e17-fdbfab77341b" // Exchange Online PowerShell
	AppExchangeRemote  = "a0c73c16-a7e3-4564-9a95-2bdf47383716" // its older form
	AppAzureMobile     = "0c1307d4-29d6-4389-a11c-5cbe7f65d7fa"
)

// Apps lists all of them. The slice is shared and must not be changed.
func Apps() []App { return apps() }

// FindApp finds an app by its id, in any case.
func FindApp(id string) (App, bool) {
	a, ok := appsByID()[strings.ToLower(id)]
	return a, ok
}

// SuiteOf is the suite of an app, by its id in lower case.
func SuiteOf(id string) Suite { return appsByID()[id].Suite }

// AppName is how we call an app to people; "" for one that is not known.
func AppName(id string) string { return appsByID()[id].Name }

var appsByID = sync.OnceValue(func() map[string]App {
	m := make(map[string]App, len(apps()))
	for _, a := range apps() {
		m[a.ID] = a
	}
	return m
})

// Where the apps are from.
const (
	appsCenter  Source = "contracts.md section 2.1"
	appsConsent Source = "contracts.md section 2.5"
	appsTools   Source = "contracts.md section 5.4"
	appsGDAP    Source = "contracts.md section 3.11"
	appsSuites  Source = "Microsoft Entra Conditional Access, apps in the suites (K)"
)

// apps is the one table of apps, by what they are.
var apps = sync.OnceValue(func() []App {
	suite := func(s Suite, id, name string) App { return App{ID: id, Name: name, Suite: s, Source: appsSuites} }
	alone := func(id, name string) App { return App{ID: id, Name: name, Suite: NoSuite, Source: known} }
	client := func(id, name, shown string) App { return App{ID: id, Name: name, Client: shown, Source: known} }
	tool := func(a App) App { a.Tool = true; return a }
	return []App{
		// Resources with an API.
		{ID: AppGraph, Name: "Microsoft Graph", Service: "Microsoft Graph", Suite: NoSuite, Source: appsConsent,
			URIs: []string{"https://" + GraphHost, "https://" + GraphHost + "/", "https://" + graphUSGov, "https://" + graphChina}},
		{ID: AppARM, Name: "Azure Service Management", Service: "Windows Azure Service Management API", Suite: NoSuite, Source: appsConsent,
			URIs: []string{"https://" + ARMHost, "https://" + ARMHost + "/", OlderARM + "/", OlderARM, "https://" + armUSGov, "https://" + armChina}},
		{ID: AppPartnerCenter, Name: "Partner Center", Service: "Microsoft Partner Center", Suite: NoSuite, Source: appsCenter,
			URIs: []string{"https://" + CenterHost, "https://" + CenterHost + "/", "https://" + centerChina}},
		{ID: AppExchange, Name: "Exchange Online", Service: "Office 365 Exchange Online", Client: "Office 365 Exchange Online", Suite: Office365,
			Source: appsSuites,
			URIs:   []string{OutlookResource, OutlookResource + "/", "https://outlook.office.com"}},
		{ID: AppManagementAPIs, Name: "Office 365 Management APIs", Service: "Office 365 Management APIs", Source: known,
			URIs: []string{"https://" + OfficeManageHost, "https://" + OfficeManageHost + "/"}},
		{ID: AppSharePoint, Name: "SharePoint Online", Service: "Office 365 SharePoint Online", Suite: Office365, Source: appsSuites,
			URIs: []string{"https://microsoft.sharepoint-df.com"}},
		{ID: AppPartner, Name: "Partner Center portal", Service: "Microsoft Partner", Client: "Microsoft Partner Center", Source: appsCenter,
			URIs: []string{"https://api.partner.microsoft.com", "https://api.partner.microsoft.com/"}},
		{ID: AppKeyVault, Name: "Azure Key Vault", Service: "Azure Key Vault", Suite: NoSuite, Source: known,
			URIs: []string{KeyVaultResource, KeyVaultResource + "/"}},
		{ID: AppAADGraph, Name: "Windows Azure Active Directory", Service: "Windows Azure Active Directory", Suite: NoSuite, Source: appsConsent,
			URIs: []string{"https://" + AADGraphHost, "https://" + AADGraphHost + "/"}},
		{ID: AppGDAP, Name: "Partner customer delegated administration", Source: appsGDAP},

		// Office 365.
		suite(Office365, "00000004-0000-0ff1-ce00-000000000000", "Skype for Business Online"),
		suite(Office365, "00000005-0000-0ff1-ce00-000000000000", "Viva Engage (Yammer)"),
		suite(Office365, AppTeams, "Teams"),
		suite(Office365, "2634dd23-5e5a-431c-81ca-11710d9079f4", "Stream"),
		suite(Office365, "cf53fce8-def6-4aeb-8d30-b158e7b1cf83", "Stream portal"),
		suite(Office365, "7df0a125-d3be-4c96-aa54-591f83ff541c", "Power Automate"),
		suite(Office365, "66a88757-258c-4c72-893c-3e8bed4d6899", "Office 365 Search"),
		suite(Office365, "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87", "Forms"),
		suite(Office365, "905fcf26-4eb7-48a0-9ff0-8dcc7194b5ba", "Sway"),
		suite(Office365, "94c63fef-13a3-47bc-8074-75af8c65887a", "Delve"),
		suite(Office365, "09abbdfd-ed23-44ee-a2d9-a627aa1c90f3", "Planner"),
		{ID: AppOfficeHome, Name: "Office.com", Client: "OfficeHome", Suite: Office365, Source: appsSuites},
		suite(Office365, "2087bd82-7206-4c0a-b305-1321a39e5926", "To Do"),
		suite(Office365, "c830ddb0-63e6-4f22-bd71-2ad47198a23e", "To Do"),
		suite(Office365, "95de633a-083e-42f5-b444-a4295d8e9314", "Whiteboard"),
		suite(Office365, "2d4d3d8e-2be3-4bef-9f87-7875a61c29de", "OneNote"),
		suite(Office365, "4354e225-50c9-4423-9ece-2d5afd904870", "Augmentation Loop"),

		// The admin portals.
		{ID: AppAzurePortal, Name: "Azure portal", Client: "Azure Portal", Suite: AdminPortals, Source: appsSuites},
		{ID: AppM365Portal, Name: "Microsoft 365 admin centre", Client: "Microsoft Office 365 Portal", Suite: AdminPortals, Source: appsSuites},
		suite(AdminPortals, "80ccca67-54bd-44ab-8625-4b79c4dc7775", "Microsoft 365 Security and Compliance Center"),
		suite(AdminPortals, "497effe9-df71-4043-a8bb-14cf78c4b63b", "Exchange admin centre"),

		// In neither suite.
		alone("00000009-0000-0000-c000-000000000000", "Power BI"),
		alone("0000000a-0000-0000-c000-000000000000", "Microsoft Intune"),
		alone("d4ebce55-015a-49b5-a083-c84d1797ae8c", "Microsoft Intune Enrollment"),
		alone("022907d3-0f1b-48f7-badc-1ba6abab6d66", "Azure SQL Database"),
		alone("372140e0-b3b7-4226-8ef9-d57986796201", "Azure Windows VM Sign-In"),
		alone("9cdead84-a844-4324-93f2-b2e6bb768d07", "Azure Virtual Desktop"),
		alone("38aa3b87-a06d-4817-b275-7a316988d93b", "Windows Sign-In"),
		alone("fc780465-2017-40d4-a0c5-307022471b92", "Windows Defender ATP"),

		// Clients.
		client(AppOffice, "Office", "Microsoft Office"),
		client(AppTeamsClient, "Teams", "Microsoft Teams"),
		client(AppM365Admin, "Microsoft 365 admin centre", "Microsoft 365 admin center"),
		client(AppEntraConnect, "Entra Connect", "Microsoft Azure Active Directory Connect"),
		{ID: AppAzureCLI, Name: "Azure CLI", Client: "Microsoft Azure CLI", Tool: true, Source: appsTools},
		tool(client(AppAzurePowerShell, "Azure PowerShell", "Microsoft Azure PowerShell")),
		tool(client("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph PowerShell", "Microsoft Graph Command Line Tools")),
		tool(client("1b730954-1685-4b74-9bfd-dac224a7b894", "Azure AD and MSOnline PowerShell", "Azure Active Directory PowerShell")),
		tool(client(AppExchangeRemote, "Exchange Online PowerShell, remoting", "Microsoft Exchange Online Remote PowerShell")),
		tool(client(AppExchangeREST, "Exchange Online PowerShell, REST", "Microsoft Exchange REST API Based Powershell")),
		tool(client("9bc3ab49-b65d-410a-85ad-de819febfddc", "SharePoint Online Management Shell", "")),
		tool(client("12128f48-ec9e-42f0-b203-ea49fb6af367", "Teams PowerShell", "")),
		tool(client("d1ddf0e4-d672-4dae-b554-9d5bdfd93547", "Intune PowerShell", "")),
	}
})
