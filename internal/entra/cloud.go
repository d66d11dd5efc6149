package entra

import (
	"slices"
	"strings"
)

// Cloud is one of Microsoft's national clouds. Addresses are https, without a
// slash at the end.
type Cloud struct {
	Name          string // the product's word for it, in every command, setting and answer
	Authority     string // sign-ins and tokens
	Graph         string
	PartnerCenter string
	ARM           string // Azure Resource Manager
	// Issuers are how iss begins: v1's, then v2's.
	Issuers []string
	// Vault and HSM end the names of key vaults and of managed HSMs.
	Vault, HSM string
	Closed     bool // nothing answers there any more
	Source     Source
}

// The clouds' names.
const (
	CloudPublic  = "public"
	CloudUSGov   = "usgov"   // GCC High; Partner Center is the common one
	CloudChina   = "china"   // operated by 21Vianet
	CloudGermany = "germany" // closed
)

// Hosts of the public cloud that the code names.
const (
	LoginHost        = "login.microsoftonline.com"
	LoginWindowsHost = "login.windows.net"
	LoginLiveHost    = "login.microsoft.com"
	DeviceLoginHost  = "device.login.microsoftonline.com"
	STSHost          = "sts.windows.net"
	GraphHost        = "graph.microsoft.com"
	AADGraphHost     = "graph.windows.net" // retired
	CenterHost       = "api.partnercenter.microsoft.com"
	ARMHost          = "management.azure.com"
	PartnerHost      = "partner.microsoft.com" // the portal
	M365AdminHost    = "admin.microsoft.com"
	OfficeManageHost = "manage.office.com"
	OutlookHost      = "outlook.office365.com"
	SMTPHost         = "smtp.office365.com"
	KeyVaultHost     = "vault.azure.net"
	// InstanceName is how the public cloud calls itself in discovery documents.
	InstanceName = "microsoftonline.com"
)

// Hosts of the other clouds.
const (
	loginUSGov  = "login.microsoftonline.us"
	graphUSGov  = "graph.microsoft.us"
	armUSGov    = "management.usgovcloudapi.net"
	loginChina  = "login.partner.microsoftonline.cn"
	graphChina  = "microsoftgraph.chinacloudapi.cn"
	centerChina = "partner.partnercenterapi.microsoftonline.cn"
	armChina    = "management.chinacloudapi.cn"
	// OlderChinaIssuer begins iss of 21Vianet's older authority (contracts.md 2.1).
	OlderChinaIssuer = "https://login.chinacloudapi.cn/"
)

// Addresses that are resources too.
const (
	Login            = "https://" + LoginHost
	Graph            = "https://" + GraphHost
	PartnerCenter    = "https://" + CenterHost
	ARM              = "https://" + ARMHost
	OlderARM         = "https://management.core.windows.net" // the same API as ARM
	OutlookResource  = "https://" + OutlookHost
	KeyVaultResource = "https://" + KeyVaultHost
)

// Clouds are Microsoft's clouds, the public one first (contracts.md sections 2.1,
// 3, 4.1, 4.4). The slice is the caller's.
func Clouds() []Cloud {
	const source = Source("contracts.md sections 2.1, 3, 4.1, 4.4; key vaults (K)")
	return []Cloud{
		{Name: CloudPublic, Authority: Login, Graph: Graph, PartnerCenter: PartnerCenter, ARM: ARM,
			Issuers: []string{"https://" + STSHost + "/", Login + "/"},
			Vault:   KeyVaultHost, HSM: "managedhsm.azure.net", Source: source},
		{Name: CloudUSGov, Authority: "https://" + loginUSGov, Graph: "https://" + graphUSGov, PartnerCenter: PartnerCenter, ARM: "https://" + armUSGov,
			Issuers: []string{"https://" + STSHost + "/", "https://" + loginUSGov + "/"},
			Vault:   "vault.usgovcloudapi.net", HSM: "managedhsm.usgovcloudapi.net", Source: source},
		{Name: CloudChina, Authority: "https://" + loginChina, Graph: "https://" + graphChina, PartnerCenter: "https://" + centerChina,
			ARM:     "https://" + armChina,
			Issuers: []string{"https://sts.chinacloudapi.cn/", "https://" + loginChina + "/"},
			Vault:   "vault.azure.cn", HSM: "managedhsm.azure.cn", Source: source},
		{Name: CloudGermany, Authority: "https://login.microsoftonline.de", ARM: "https://management.microsoftazure.de", Closed: true, Source: source},
	}
}

// FindCloud finds a cloud by its name.
func FindCloud(name string) (Cloud, bool) {
	for _, c := range Clouds() {
		if c.Name == name {
			return c, true
		}
	}
	return Cloud{}, false
}

// LoginHosts are the names of the public cloud's authority that clients use (K).
// The slice is the caller's.
func LoginHosts() []string { return []string{LoginHost, LoginWindowsHost, LoginLiveHost, STSHost} }

// AuthorityHosts are all names that an authority of an open cloud has. This and
// its like are the caller's.
func AuthorityHosts() []string {
	others := hosts(func(c Cloud) string { return c.Authority })[1:]
	return append(append(LoginHosts(), DeviceLoginHost), others...)
}

// CloudNames are the clouds as cross-tenant access settings name them.
func CloudNames() []string {
	return []string{InstanceName, strings.TrimPrefix(loginUSGov, "login."), strings.TrimPrefix(loginChina, "login.")}
}

// GraphHosts are the names of Microsoft Graph in the open clouds.
func GraphHosts() []string { return hosts(func(c Cloud) string { return c.Graph }) }

// CenterHosts are the names of Partner Center's API in the open clouds.
func CenterHosts() []string { return hosts(func(c Cloud) string { return c.PartnerCenter }) }

// ARMHosts are the names of Azure Resource Manager in the open clouds.
func ARMHosts() []string { return hosts(func(c Cloud) string { return c.ARM }) }

// hosts are the names of one service, the public cloud's first, without repeats.
func hosts(get func(Cloud) string) (out []string) {
	for _, c := range Clouds() {
		host := strings.TrimPrefix(get(c), "https://")
		if !c.Closed && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}
