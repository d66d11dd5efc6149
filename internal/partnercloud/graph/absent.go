package graph

import (
	"slices"
	"strings"
)

const absentMail = "Mail in Microsoft Graph (SMTP, IMAP and POP3 are there: cloud --mail)"

// absentParts are the workloads behind Graph that the partner cloud has nothing of, by
// the segment that leads to them: at the root, or below a user, a group or "me"
// (Graph v1.0 reference, table of contents). Whoever asks learns that they are left
// out here, not that they spelt them wrongly.
var absentParts = map[string]string{
	"messages": absentMail, "mailfolders": absentMail,
	"sendmail": absentMail, "mailboxsettings": absentMail,
	"calendar": "Calendars", "calendars": "Calendars", "events": "Calendars", "calendarview": "Calendars",
	"contacts": "Contacts", "contactfolders": "Contacts", "people": "People",
	"drive": "Files", "drives": "Files", "shares": "Files", "sites": "SharePoint sites",
	"teams": "Microsoft Teams", "joinedteams": "Microsoft Teams", "team": "Microsoft Teams", "teamwork": "Microsoft Teams", "chats": "Microsoft Teams",
	"communications": "Microsoft Teams calls", "planner": "Planner", "todo": "To Do", "onenote": "OneNote",
	"devices": "Devices", "registereddevices": "Devices", "owneddevices": "Devices", "devicemanagement": "Intune", "deviceappmanagement": "Intune",
	"manageddevices": "Intune", "photo": "Photos", "photos": "Photos",
	"schemaextensions": "Schema extensions", "extensions": "Open extensions", "customsecurityattributedefinitions": "Custom security attributes",
	"identitygovernance": "Identity Governance", "agreements": "Terms of use", "admin": "Settings of Microsoft 365 services",
	"search": "Microsoft Search", "external": "Connectors of Microsoft Search", "education": "Education", "print": "Universal Print",
	"solutions": "Bookings and virtual events", "employeeexperience": "Viva", "informationprotection": "Information protection",
	"branding": "Company branding", "subscriptions": "Change notifications and subscriptions of licences",
}

// absentRoots are the collections below whose objects a workload may stand.
var absentRoots = []string{"users", "groups", "me", "organization", "directory", "devices"}

// absentPart is the name of the workload that a path nobody serves leads to, "" for
// none.
func absentPart(path []string) string {
	if name := absentParts[strings.ToLower(path[0])]; name != "" {
		return name
	}
	root := strings.ToLower(path[0])
	at := 2
	if root == "me" || root == "directory" {
		at = 1
	}
	if !slices.Contains(absentRoots, root) || len(path) <= at {
		return ""
	}
	return absentParts[strings.ToLower(path[at])]
}
