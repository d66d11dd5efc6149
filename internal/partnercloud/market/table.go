package market

import (
	"sync"

	"partnerguard/internal/entra"
)

// Invented says of a price that it is none of Microsoft's.
const Invented = "Prices in the partner cloud are invented."

func byYear() []Term {
	return []Term{{Month, Monthly}, {Year, Monthly}, {Year, Annual}, {ThreeYears, Monthly}, {ThreeYears, Annual}, {ThreeYears, Triennial}}
}

func short() []Term { return []Term{{Month, Monthly}, {Year, Monthly}, {Year, Annual}} }

// Service plans, by the names and ids of the directory.
var (
	planP1       = Plan{entra.PlanP1, "AAD_PREMIUM"}
	planP2       = Plan{entra.PlanP2, "AAD_PREMIUM_P2"}
	planMail     = Plan{"9aaf7827-d63c-4b61-89c3-182f06f82e5c", "EXCHANGE_S_STANDARD"}
	planMail2    = Plan{"efb87545-963c-4e0d-99df-69c6916d9eb0", "EXCHANGE_S_ENTERPRISE"}
	planIntune   = Plan{"c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "INTUNE_A"}
	planTeams    = Plan{"57ff2da0-773e-42df-b2af-ffb7a2317929", "TEAMS1"}
	planSites    = Plan{"c7699d2e-19aa-44de-8edf-1736da088ca1", "SHAREPOINTSTANDARD"}
	planOffice   = Plan{"43de0ff5-c92c-492b-9116-175376d08c38", "OFFICESUBSCRIPTION"}
	planMFA      = Plan{"8a256a2b-b617-496d-b51b-e76466e88db0", "MFA_PREMIUM"}
	planArchive  = Plan{"176a09a6-7ec5-4039-ac02-b2791c6ba793", "EXCHANGE_S_ARCHIVE_ADDON"}
	planPhone    = Plan{"4828c8ec-dc2e-4779-b502-87ac9ce28ab7", "MCOEV"}
	planPower    = Plan{"70d33638-9c74-4d01-bfd3-562de28bd4ba", "BI_AZURE_P2"}
	planVisio    = Plan{"da24caf9-af8e-485c-b7c8-e73336da2693", "VISIOONLINE"}
	planWindows  = Plan{"21b439ba-a0ca-424f-a6cc-52f954a5b111", "WIN10_PRO_ENT_SUB"}
	planDefender = Plan{"bfc1bbd9-981b-4f71-9b82-17c35fd0e2a4", "MDE_SMB"}
)

// Products is the whole catalogue, in the order it is listed. The slice is shared:
// do not change it.
func Products() []Product { return products() }

// products is long because it is one table.
var products = sync.OnceValue(func() []Product {
	const business, enterprise, big = 300, 10_000_000, 10_000_000
	about := func(what string) string { return what + " " + Invented }
	seats := func(id, title, what string, list ...SKU) Product {
		for i := range list {
			list[i].Title = title
			if list[i].Trial {
				list[i].Title = title + " (Trial)"
			}
		}
		return Product{id, title, about(what), Licences, "OnlineServices", list}
	}
	try := func(of SKU, sku, availability, back string) SKU {
		of.ID, of.Availability, of.Trial, of.Max, of.Upgrades, of.Convert = sku, availability, true, 25, nil, back
		of.Terms = []Term{{Month, NoCycle}}
		return of
	}
	basic := SKU{ID: "0001", Availability: "CFQ7TTC0K971", Part: "O365_BUSINESS_ESSENTIALS", Directory: "3b555118-da6a-4418-894f-7df1e2096870",
		Plans: []Plan{planMail, planTeams, planSites}, Min: 1, Max: business, Upgrades: []string{"CFQ7TTC0LDPB:0001", "CFQ7TTC0LCHC:0002"}, Price: 500,
		Terms: byYear()}
	standard := SKU{ID: "0001", Availability: "CFQ7TTC0LGNT", Part: "O365_BUSINESS_PREMIUM", Directory: "f245ecc8-75af-4f8e-b61f-27d8114de5f3",
		Plans: []Plan{planMail, planTeams, planSites, planOffice}, Min: 1, Max: business, Upgrades: []string{"CFQ7TTC0LCHC:0002"}, Price: 1000, Terms: byYear()}
	premium := SKU{ID: "0002", Availability: "CFQ7TTC0MN4G", Part: "SPB", Directory: "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
		Plans: []Plan{planP1, planMail, planIntune, planTeams, planSites, planOffice}, Min: 1, Max: business, Upgrades: []string{"CFQ7TTC0LFLX:0001",
			"CFQ7TTC0LFLZ:0002"}, Price: 1800, Terms: byYear()}
	p2 := SKU{ID: "0001", Availability: "CFQ7TTC0KZ9B", Part: "AAD_PREMIUM_P2", Directory: "84a661c4-e949-4bd2-a560-ed7766fcaf2b", Plans: []Plan{planP1,
		planP2}, Min: 1, Max: enterprise, Price: 700, Terms: byYear()}
	return []Product{
		seats("CFQ7TTC0LH18", "Microsoft 365 Business Basic", "Mail, meetings and files on the web, for up to 300 people.", basic,
			try(basic, "000B", "CFQ7TTC0K5B1", "CFQ7TTC0LH18:0001")),
		seats("CFQ7TTC0LDPB", "Microsoft 365 Business Standard", "Business Basic with the desktop apps.", standard,
			try(standard, "000B", "CFQ7TTC0K5B2", "CFQ7TTC0LDPB:0001")),
		seats("CFQ7TTC0LCHC", "Microsoft 365 Business Premium", "Business Standard with device management and security.", premium,
			try(premium, "000B", "CFQ7TTC0K5B3", "CFQ7TTC0LCHC:0002")),
		seats("CFQ7TTC0LF8Q", "Office 365 E1", "Mail, meetings and files on the web.", SKU{ID: "0001", Availability: "CFQ7TTC0K39X", Part: "STANDARDPACK",
			Directory: "18181a46-0d4e-45cd-891e-60aabd171b4e", Plans: []Plan{planMail, planTeams, planSites}, Min: 1, Max: enterprise,
			Upgrades: []string{"CFQ7TTC0LF8R:0001", "CFQ7TTC0LF8S:0001"}, Price: 800, Terms: byYear()}),
		seats("CFQ7TTC0LF8R", "Office 365 E3", "Office 365 E1 with the desktop apps.", SKU{ID: "0001", Availability: "CFQ7TTC0KCSV", Part: "ENTERPRISEPACK",
			Directory: "6fd2c87f-b296-42f0-b197-1e91e994b900", Plans: []Plan{planMail2, planTeams, planSites, planOffice}, Min: 1, Max: enterprise,
			Upgrades: []string{"CFQ7TTC0LF8S:0001", "CFQ7TTC0LFLX:0001"}, Price: 1900, Terms: byYear()}),
		seats("CFQ7TTC0LF8S", "Office 365 E5 without Audio Conferencing", "Office 365 E3 with telephony and security.", SKU{ID: "0001",
			Availability: "CFQ7TTC0N81H", Part: "ENTERPRISEPREMIUM_NOPSTNCONF", Directory: "26d45bd9-adf1-46cd-a9e1-51e9a5524128",
			Plans: []Plan{planMail2, planTeams, planSites, planOffice, planPhone, planPower}, Min: 1, Max: enterprise, Price: 3100, Terms: byYear()}),
		seats("CFQ7TTC0LFLX", "Microsoft 365 E3", "Office 365 E3 with Windows and Enterprise Mobility.", SKU{ID: "0001", Availability: "CFQ7TTC0LB30",
			Part: "SPE_E3", Directory: "05e9a617-0261-4cee-bb44-138d3ef5d965", Plans: []Plan{planP1, planMail2, planIntune, planTeams, planSites, planOffice,
				planWindows}, Min: 1, Max: enterprise, Upgrades: []string{"CFQ7TTC0LFLZ:0002"}, Price: 3000, Terms: byYear()}),
		seats("CFQ7TTC0LFLZ", "Microsoft 365 E5", "Microsoft 365 E3 with Entra ID P2, telephony and security.", SKU{ID: "0002", Availability: "CFQ7TTC0K4TS",
			Part: "SPE_E5", Directory: "06ebc4ee-1bb5-47dd-8120-11324bc54e06", Plans: []Plan{planP1, planP2, planMail2, planIntune, planTeams, planSites,
				planOffice, planWindows, planPhone, planPower}, Min: 1, Max: enterprise, Price: 5000, Terms: byYear()}),
		seats("CFQ7TTC0LH05", "Microsoft 365 F3", "For people at the front line.", SKU{ID: "0001", Availability: "CFQ7TTC0K5F3", Part: "SPE_F1",
			Directory: "66b55226-6b4f-492c-910c-a3b7a3c9d993", Plans: []Plan{planP1, planIntune, planTeams, planSites}, Min: 1, Max: enterprise,
			Upgrades: []string{"CFQ7TTC0LFLX:0001"}, Price: 700, Terms: byYear()}),
		seats("CFQ7TTC0LFLS", "Microsoft Entra ID P1", "Conditional Access and more.", SKU{ID: "0002", Availability: "CFQ7TTC0L4Z1", Part: "AAD_PREMIUM",
			Directory: "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", Plans: []Plan{planP1, planMFA}, Min: 1, Max: enterprise, Upgrades: []string{"CFQ7TTC0LFK5:0001"},
			Price: 500, Terms: byYear()}),
		seats("CFQ7TTC0LFK5", "Microsoft Entra ID P2", "P1 with Identity Protection and Privileged Identity Management.", p2,
			try(p2, "000B", "CFQ7TTC0K5B4", "CFQ7TTC0LFK5:0001")),
		seats("CFQ7TTC0LHT4", "Enterprise Mobility + Security E3", "Entra ID P1 and Intune.", SKU{ID: "0001", Availability: "CFQ7TTC0LXQP", Part: "EMS",
			Directory: "efccb6f7-5641-4e0e-bd10-b4976e1bf68e", Plans: []Plan{planP1, planIntune, planMFA}, Min: 1, Max: enterprise, Price: 900,
			Terms: byYear()}),
		seats("CFQ7TTC0LH16", "Exchange Online (Plan 1)", "Mail.", SKU{ID: "0001", Availability: "CFQ7TTC0K4XQ", Part: "EXCHANGESTANDARD",
			Directory: "4b9405b0-7788-4568-add1-99614e613b69", Plans: []Plan{planMail}, Min: 1, Max: enterprise, Price: 300, Terms: byYear()}),
		seats("CFQ7TTC0LH0J", "Exchange Online Archiving", "An archive for mailboxes.", SKU{ID: "0001", Availability: "CFQ7TTC0KSGL",
			Part:      "EXCHANGEARCHIVE_ADDON",
			Directory: "ee02fd1b-340e-4a4b-b355-4a514e4c8943", Plans: []Plan{planArchive}, Min: 1, Max: big, AddOn: true, Needs: []string{"CFQ7TTC0LH18:0001",
				"CFQ7TTC0LDPB:0001", "CFQ7TTC0LCHC:0002", "CFQ7TTC0LF8Q:0001", "CFQ7TTC0LH16:0001"}, Price: 200, Terms: short()}),
		seats("CFQ7TTC0HDJX", "Microsoft Teams Phone Standard", "Telephony in Teams.", SKU{ID: "0001", Availability: "CFQ7TTC0K806", Part: "MCOEV",
			Directory: "e43b5b99-8dfb-405f-9987-dc307f34bcbd", Plans: []Plan{planPhone}, Min: 1, Max: big, AddOn: true, Needs: []string{"CFQ7TTC0LH18:0001",
				"CFQ7TTC0LDPB:0001", "CFQ7TTC0LCHC:0002", "CFQ7TTC0LF8R:0001", "CFQ7TTC0LFLX:0001"}, Price: 600, Terms: short()}),
		seats("CFQ7TTC0HL8W", "Power BI Premium Per User", "Reports.", SKU{ID: "0001", Availability: "CFQ7TTC0K59S", Part: "PBI_PREMIUM_PER_USER",
			Directory: "c1d032e0-5619-4761-9b5c-75b6831e1711", Plans: []Plan{planPower}, Min: 1, Max: enterprise, Price: 1600, Terms: byYear()}),
		seats("CFQ7TTC0HD33", "Visio Plan 1", "Diagrams on the web.", SKU{ID: "0003", Availability: "CFQ7TTC0K59M", Part: "VISIO_PLAN1_DEPT",
			Directory: "ca7f3140-d88c-455b-9a1c-7f0679e31a76", Plans: []Plan{planVisio}, Min: 1, Max: enterprise, Price: 400, Terms: byYear()}),
		seats("CFQ7TTC0P0GP", "Windows 365 Business 2 vCPU, 8 GB, 128 GB", "A PC in the cloud.", SKU{ID: "0001", Availability: "CFQ7TTC0J203",
			Part: "CPC_B_2C_8RAM_128GB", Directory: "439ac253-bfbc-49c7-acc0-6b951407b5ef", Plans: []Plan{{"9d2eed2c-b0c0-4a89-940c-bc303444a41b",
				"CPC_SS_2"}}, Min: 1, Max: business, Price: 4100, Terms: short(), Attest: true}),
		seats("CFQ7TTC0LHQH", "Microsoft Defender for Business", "Protection of devices.", SKU{ID: "0001", Availability: "CFQ7TTC0K6D1", Part: "MDE_SMB",
			Directory: "26a18e8f-4d14-46f8-835a-ed3ba424a961", Plans: []Plan{planDefender}, Min: 1, Max: business, Price: 200, Terms: byYear()}),
		{"DZH318Z0BPS6", "Microsoft Azure plan", about("Gain access to Azure services. Usage is billed by the month."), AzurePlan, "Azure", []SKU{{ID: "0001",
			Availability: "DZH318Z0BML6", Title: "Microsoft Azure plan", Min: 1, Max: 1, Terms: []Term{{"", OneTime}}}}},
		{"DZH318Z0BQ3Q", "Virtual Machines DSv2 Series", about("Reserved virtual machines."), Reservation, "AzureReservationsVM", []SKU{
			{ID: "0001", Availability: "DZH318XZXVNF", Title: "Reserved VM Instance, Standard_DS2_v2, EU North, 1 Year", Min: 1, Max: 999, Price: 7_500,
				Terms: []Term{{Year, OneTime}}},
			{ID: "0002", Availability: "DZH318XZXPHL", Title: "Reserved VM Instance, Standard_DS2_v2, EU North, 3 Years", Min: 1, Max: 999, Price: 6_000,
				Terms: []Term{{ThreeYears, OneTime}}}}},
		{"DG7GMGF0DWT0", "Microsoft Identity Manager 2016", about("Perpetual software."), Software, "SoftwarePerpetual", []SKU{{ID: "0001",
			Availability: "DG7GMGF0DSQR", Title: "Microsoft Identity Manager 2016 - 1 User CAL", Min: 1, Max: 10_000, Price: 1_900,
			Terms: []Term{{"", OneTime}}}}},
	}
})
