package broker

import (
	"slices"
	"strings"
)

// conflicting are variables that lead an SDK to another credential or endpoint,
// or that hold one.
var conflicting = []string{
	// azidentity, @azure/identity, azure-identity and Azure.Identity: EnvironmentCredential.
	"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
	"AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
	// Workload identity and pipelines.
	"AZURE_FEDERATED_TOKEN_FILE", "AZURE_FEDERATED_TOKEN", "AZURE_KUBERNETES_TOKEN_PROXY", "AZURE_KUBERNETES_CA_DATA", "AZURE_KUBERNETES_CA_FILE",
	"AZURE_KUBERNETES_SNI_NAME",
	"ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN",
	// Other sources of managed identity: Service Fabric, Azure ML, Cloud Shell, Arc, IMDS and its stand-ins.
	"IDENTITY_SERVER_THUMBPRINT", "MSI_ENDPOINT", "MSI_SECRET", "DEFAULT_IDENTITY_CLIENT_ID", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
	"APPSETTING_WEBSITE_SITE_NAME",
	// Terraform's azurerm and azuread.
	"ARM_CLIENT_ID", "ARM_CLIENT_ID_FILE_PATH", "ARM_CLIENT_SECRET", "ARM_CLIENT_SECRET_FILE_PATH", "ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH",
	"ARM_CLIENT_CERTIFICATE_PASSWORD",
	"ARM_OIDC_TOKEN", "ARM_OIDC_TOKEN_FILE_PATH", "ARM_OIDC_REQUEST_TOKEN", "ARM_OIDC_REQUEST_URL", "ARM_MSI_ENDPOINT",
	// What opens our own vault.
	"CREDENTIALS_DIRECTORY",
	// Descriptors that the child does not have, and the way to speak for us to systemd.
	"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "MAINPID", "MANAGERPID",
}

// Env makes a child's environment from ours: with the endpoint and its header,
// without what would lead elsewhere or open our vault, and with loopback kept
// away from proxies, to which the header would go otherwise.
// AZURE_TOKEN_CREDENTIALS keeps DefaultAzureCredential from trying anything
// else, such as a developer's own sign-in.
func (l *Local) Env(base []string) []string {
	out := make([]string, 0, len(base)+6)
	noProxy := map[string]string{}
	for _, v := range base {
		name, value, _ := strings.Cut(v, "=")
		upper := strings.ToUpper(name) // Windows knows no case
		switch {
		case slices.Contains(conflicting, upper), upper == "IDENTITY_ENDPOINT", upper == "IDENTITY_HEADER", upper == "AZURE_TOKEN_CREDENTIALS":
			continue
		case strings.HasPrefix(upper, "PARTNERGUARD_") && !strings.HasPrefix(upper, "PARTNERGUARD_CLOUD"):
			continue // may hold how our vault is opened; a child needs none of it
		case upper == "NO_PROXY":
			noProxy[name] = value
			continue
		}
		out = append(out, v)
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		value := noProxy[name]
		if value == "" { // what the other spelling said must still hold
			for _, other := range noProxy {
				value = other
			}
		}
		if value != "*" {
			value = strings.TrimPrefix(value+",127.0.0.1,localhost", ",")
		}
		out = append(out, name+"="+value)
	}
	return append(out, "IDENTITY_ENDPOINT="+l.Endpoint(), "IDENTITY_HEADER="+l.header.Reveal(), "AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential")
}
