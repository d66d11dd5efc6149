package worlds

// meter is one kind of line on the bill.
type meter struct {
	category, sub, name, unit string
	price                     int64 // millionths of a euro a unit
	hour                      int64 // millionths of a unit that one thing uses an hour
}

// form is what a kind of thing is in Azure and costs.
type form struct {
	kind    string // resource type
	service string // consumed service
	size    string // service type of a machine; "" else
	cores   int
	gpu     bool
	meters  []meter
}

const million = 1_000_000

// machine is a size of virtual machine; mills are thousandths of a euro an hour.
func machine(size, sub, name string, cores int, mills int64, gpu bool) *form {
	return &form{kind: "Microsoft.Compute/virtualMachines", service: "Microsoft.Compute", size: size, cores: cores, gpu: gpu,
		meters: []meter{{"Virtual Machines", sub, name, "1 Hour", mills * 1000, million}}}
}

// as is the same machine under another service: a scale set, a pool, a cluster.
func (f *form) as(kind, service string) *form {
	other := *f
	other.kind, other.service = kind, service
	return &other
}

func (f *form) set() *form {
	return f.as("Microsoft.Compute/virtualMachineScaleSets", "Microsoft.Compute")
}

var (
	b2s   = machine("Standard_B2s", "BS Series", "B2s", 2, 42, false)
	b4ms  = machine("Standard_B4ms", "BS Series", "B4ms", 4, 166, false)
	d2s   = machine("Standard_D2s_v5", "Dsv5 Series", "D2s v5", 2, 96, false)
	d4s   = machine("Standard_D4s_v5", "Dsv5 Series", "D4s v5", 4, 192, false)
	d8s   = machine("Standard_D8s_v5", "Dsv5 Series", "D8s v5", 8, 384, false)
	d16s  = machine("Standard_D16s_v5", "Dsv5 Series", "D16s v5", 16, 768, false)
	e4s   = machine("Standard_E4s_v5", "Esv5 Series", "E4s v5", 4, 252, false)
	e8s   = machine("Standard_E8s_v5", "Esv5 Series", "E8s v5", 8, 504, false)
	f4s   = machine("Standard_F4s_v2", "FSv2 Series", "F4s v2", 4, 169, false)
	f8s   = machine("Standard_F8s_v2", "FSv2 Series", "F8s v2", 8, 338, false)
	f16s  = machine("Standard_F16s_v2", "FSv2 Series", "F16s v2", 16, 677, false)
	f72s  = machine("Standard_F72s_v2", "FSv2 Series", "F72s v2", 72, 3045, false)
	d96as = machine("Standard_D96as_v5", "Dasv5 Series", "D96as v5", 96, 4128, false)
	hb120 = machine("Standard_HB120rs_v3", "HBrsv3 Series", "HB120rs v3", 120, 3600, false)
	nc4   = machine("Standard_NC4as_T4_v3", "NCasT4_v3 Series", "NC4as T4 v3", 4, 526, true)
	nc16  = machine("Standard_NC16as_T4_v3", "NCasT4_v3 Series", "NC16as T4 v3", 16, 1204, true)
	nc64  = machine("Standard_NC64as_T4_v3", "NCasT4_v3 Series", "NC64as T4 v3", 64, 4352, true)
	nc24a = machine("Standard_NC24ads_A100_v4", "NCadsA100v4 Series", "NC24ads A100 v4", 24, 3673, true)
	nc96a = machine("Standard_NC96ads_A100_v4", "NCadsA100v4 Series", "NC96ads A100 v4", 96, 14692, true)
	nc6v3 = machine("Standard_NC6s_v3", "NCSv3 Series", "NC6s v3", 6, 3060, true)
	nv36  = machine("Standard_NV36ads_A10_v5", "NVadsA10v5 Series", "NV36ads A10 v5", 36, 3200, true)

	office   = []*form{b2s, b4ms, d2s, d2s, d4s, d4s, e4s, d8s}
	servers  = []*form{d4s, d8s, e4s, e8s, d16s}
	graphics = []*form{nc64, nc24a, nc96a, nc6v3, nv36, nc16}
	many     = []*form{f72s, d96as, hb120, f72s}
)

// plain is a thing with one meter.
func plain(kind, service string, m meter) *form {
	return &form{kind: kind, service: service, meters: []meter{m}}
}

var (
	disk = plain("Microsoft.Compute/disks", "Microsoft.Compute",
		meter{"Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "1/Month", 17_920_000, million / 730})
	address = plain("Microsoft.Network/publicIPAddresses", "Microsoft.Network",
		meter{"Virtual Network", "IP Addresses", "Standard IPv4 Static Public IP", "1 Hour", 5000, million})
	blobs = plain("Microsoft.Storage/storageAccounts", "Microsoft.Storage",
		meter{"Storage", "Blob Storage", "Hot LRS Data Stored", "1 GB/Month", 18_400, million / 730})
	egress = plain("Microsoft.Network/publicIPAddresses", "Microsoft.Network",
		meter{"Bandwidth", "Inter-Region", "Standard Data Transfer Out", "1 GB", 80_000, million / 24})
	database = plain("Microsoft.Sql/servers", "Microsoft.Sql",
		meter{"SQL Database", "Single Standard", "S3 DTUs", "1/Day", 4_840_000, million / 24})
	webapp = plain("Microsoft.Web/serverFarms", "Microsoft.Web",
		meter{"Azure App Service", "Premium v3 Plan", "P1 v3 App", "1 Hour", 125_000, million})
	gateway = plain("Microsoft.Network/virtualNetworkGateways", "Microsoft.Network",
		meter{"VPN Gateway", "VPN Gateway", "VpnGw1", "1 Hour", 190_000, million})
	logs = plain("Microsoft.OperationalInsights/workspaces", "Microsoft.OperationalInsights",
		meter{"Log Analytics", "Log Analytics", "Pay-as-you-go Data Ingestion", "1 GB", 2_300_000, million / 24})
	backups = plain("Microsoft.RecoveryServices/vaults", "Microsoft.RecoveryServices",
		meter{"Backup", "Backup", "Azure VM Protected Instances", "1/Month", 8_433_000, million / 730})
	cluster = plain("Microsoft.ContainerService/managedClusters", "Microsoft.ContainerService",
		meter{"Azure Kubernetes Service", "Uptime SLA", "Standard Uptime SLA", "1 Hour", 100_000, million})
	container = &form{kind: "Microsoft.ContainerInstance/containerGroups", service: "Microsoft.ContainerInstance", cores: 4, meters: []meter{
		{"Container Instances", "Container Instances", "Standard vCPU Duration", "1 Hour", 40_500, 4 * million},
		{"Container Instances", "Container Instances", "Standard Memory Duration", "1 GB Hour", 4450, 14 * million}}}
)

// regions: where partners' customers usually are, and the rest of the world.
var (
	home = []string{"westeurope", "northeurope", "germanywestcentral", "francecentral", "swedencentral", "uksouth", "switzerlandnorth"}
	far  = []string{"eastus", "eastus2", "southcentralus", "westus2", "westus3", "canadacentral", "brazilsouth", "japaneast", "koreacentral",
		"southeastasia", "australiaeast", "centralindia", "southafricanorth", "uaenorth"}
)
