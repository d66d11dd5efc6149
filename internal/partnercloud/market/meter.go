package market

import "strings"

// Meter is something of Azure that is measured. Ids and rates are invented.
type Meter struct {
	ID, Category, SubCategory, Name, Region, Unit string
	Location, Service                             string
	Rate                                          float64 // US dollars a unit
}

var meters = []Meter{
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0001", "Virtual Machines", "Bs Series", "B2s", "EU North", "1 Hour", "northeurope", "Microsoft.Compute", 0.0416},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0002", "Virtual Machines", "Dsv5 Series", "D4s v5", "EU North", "1 Hour", "northeurope", "Microsoft.Compute", 0.214},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0003", "Virtual Machines", "NCads A100 v4 Series", "NC24ads A100 v4", "US East", "1 Hour", "eastus",
		"Microsoft.Compute", 3.673},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0004", "Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "EU North", "1/Month", "northeurope",
		"Microsoft.Storage", 19.71},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0005", "Storage", "Blob", "Hot LRS Data Stored", "EU North", "1 GB/Month", "northeurope", "Microsoft.Storage", 0.018},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0006", "Bandwidth", "Bandwidth", "Data Transfer Out", "Zone 1", "1 GB", "", "Microsoft.Network", 0.087},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0007", "Bandwidth", "Bandwidth", "Data Transfer In", "Zone 1", "1 GB", "", "Microsoft.Network", 0},
	{"b5f3c1d0-7a1e-4a53-9c6e-2f8d1a9e0008", "Virtual Network", "IP Addresses", "Static Public IP", "", "1 Hour", "", "Microsoft.Network", 0.005},
}

// Meters are all of them. The slice is shared: do not change it.
func Meters() []Meter { return meters }

// MeterNamed is a meter by its category and name; by the category alone where no name
// is given.
func MeterNamed(category, name string) Meter {
	m := MeterOf(category)
	if name == "" || strings.EqualFold(name, category) {
		return m
	}
	for _, x := range meters {
		if strings.EqualFold(x.Category, category) && strings.EqualFold(x.Name, name) {
			return x
		}
	}
	m.Name, m.ID = name, m.ID+"/"+strings.ToLower(strings.ReplaceAll(name, " ", "-"))
	return m
}

// MeterOf is the first meter of a category; one of that name alone where there is
// none.
func MeterOf(category string) Meter {
	for _, m := range meters {
		if strings.EqualFold(m.Category, category) {
			return m
		}
	}
	return Meter{ID: strings.ToLower(strings.ReplaceAll(category, " ", "-")), Category: category, SubCategory: category, Name: category}
}
