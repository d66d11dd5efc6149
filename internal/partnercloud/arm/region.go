package arm

import "strings"

// regions are Azure's public regions by name (K).
var regions = [][2]string{
	{"eastus", "East US"}, {"eastus2", "East US 2"}, {"southcentralus", "South Central US"}, {"westus2", "West US 2"}, {"westus3", "West US 3"},
	{"australiaeast", "Australia East"}, {"southeastasia", "Southeast Asia"}, {"northeurope", "North Europe"}, {"swedencentral", "Sweden Central"},
	{"uksouth", "UK South"}, {"westeurope", "West Europe"}, {"centralus", "Central US"}, {"southafricanorth", "South Africa North"},
	{"centralindia", "Central India"}, {"eastasia", "East Asia"}, {"japaneast", "Japan East"}, {"koreacentral", "Korea Central"},
	{"canadacentral", "Canada Central"}, {"francecentral", "France Central"}, {"germanywestcentral", "Germany West Central"}, {"italynorth", "Italy North"},
	{"norwayeast", "Norway East"}, {"polandcentral", "Poland Central"}, {"spaincentral", "Spain Central"}, {"switzerlandnorth", "Switzerland North"},
	{"mexicocentral", "Mexico Central"}, {"uaenorth", "UAE North"}, {"brazilsouth", "Brazil South"}, {"israelcentral", "Israel Central"},
	{"qatarcentral", "Qatar Central"}, {"northcentralus", "North Central US"}, {"westus", "West US"}, {"japanwest", "Japan West"},
	{"westcentralus", "West Central US"}, {"australiasoutheast", "Australia Southeast"}, {"southindia", "South India"}, {"ukwest", "UK West"},
	{"canadaeast", "Canada East"}, {"koreasouth", "Korea South"}, {"newzealandnorth", "New Zealand North"}, {"austriaeast", "Austria East"},
}

// region finds a region by name or display name; ok is false for none.
func region(v string) (name, display string, ok bool) {
	v = strings.ToLower(strings.ReplaceAll(v, " ", ""))
	for _, r := range regions {
		if r[0] == v {
			return r[0], r[1], true
		}
	}
	return "", "", false
}

// listLocations gives the public regions.
func listLocations(k *call) (reply, *fault) {
	rows := []object{}
	for _, r := range regions {
		rows = append(rows, object{"id": "/subscriptions/" + k.sub.ID + "/locations/" + r[0], "name": r[0], "type": "Region", "displayName": r[1],
			"regionalDisplayName": r[1], "metadata": object{"regionType": "Physical", "regionCategory": "Recommended"}})
	}
	return page(k, rows)
}
