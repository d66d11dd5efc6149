package detect

import "strings"

// short are the names that meters have for regions, lower case without spaces, and Azure's own.
//
// Source: meterRegion and armRegionName of the Azure Retail Prices API, as of 2026-11.
var short = map[string]string{
	"uswest": "westus", "uswest2": "westus2", "uswest3": "westus3", "useast": "eastus", "useast2": "eastus2", "uscentral": "centralus",
	"usnorthcentral": "northcentralus", "ussouthcentral": "southcentralus", "uswestcentral": "westcentralus",
	"euwest": "westeurope", "eunorth": "northeurope", "uksouth": "uksouth", "ukwest": "ukwest", "frcentral": "francecentral", "frsouth": "francesouth",
	"degermanywestcentral": "germanywestcentral", "dewestcentral": "germanywestcentral", "denorth": "germanynorth", "chnorth": "switzerlandnorth",
	"chwest": "switzerlandwest", "noeast": "norwayeast", "nowest": "norwaywest", "secentral": "swedencentral", "sesouth": "swedensouth",
	"plcentral": "polandcentral", "itnorth": "italynorth", "escentral": "spaincentral", "apeast": "eastasia", "apsoutheast": "southeastasia",
	"jaeast": "japaneast", "jawest": "japanwest", "incentral": "centralindia", "insouth": "southindia", "inwest": "westindia", "krcentral": "koreacentral",
	"krsouth": "koreasouth", "aueast": "australiaeast", "ausoutheast": "australiasoutheast", "aucentral": "australiacentral", "brsouth": "brazilsouth",
	"brsoutheast": "brazilsoutheast", "cacentral": "canadacentral", "caeast": "canadaeast", "uaenorth": "uaenorth", "uaecentral": "uaecentral",
	"zanorth": "southafricanorth", "zawest": "southafricawest", "qacentral": "qatarcentral", "ilcentral": "israelcentral", "mxcentral": "mexicocentral",
	"nzealandnorth": "newzealandnorth",
}

// nowhere are words that name no region.
var nowhere = map[string]bool{"global": true, "unassigned": true, "intercontinental": true, "zone1": true, "zone2": true, "zone3": true, "n/a": true,
	"unknown": true, "all": true, "any": true}

// regionName is a region as Azure names it: "West Europe", "EU West" and "westeurope" are one.
func regionName(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToLower(strings.TrimSpace(s))
	if strings.ContainsAny(s, " -") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "-", "")
	}
	if nowhere[s] || len(s) > 40 {
		return ""
	}
	if long, ok := short[s]; ok {
		return long
	}
	return s
}
