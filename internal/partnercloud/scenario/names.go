package scenario

// Word lists of the generator. All people and companies are invented; the words
// are common ones of several languages.

type language struct {
	country         string
	given, surnames []string
}

func languages() []language {
	return []language{
		{"IE", []string{"Aoife", "Ciarán", "Deirdre", "Eoin", "Fionn", "Gráinne", "Liam", "Maeve", "Oisín", "Róisín"},
			[]string{"Byrne", "Doyle", "Kelly", "McCarthy", "Nolan", "O'Brien", "Quinn", "Ryan", "Sheehan", "Walsh"}},
		{"DE", []string{"Anke", "Bernd", "Dörte", "Florian", "Greta", "Jürgen", "Katrin", "Lukas", "Sabine", "Uwe"},
			[]string{"Bauer", "Fischer", "Groß", "Hoffmann", "Krüger", "Müller", "Schäfer", "Schulz", "Vogel", "Weber"}},
		{"SE", []string{"Åsa", "Björn", "Elin", "Gösta", "Ingrid", "Lars", "Märta", "Nils", "Sven", "Ylva"},
			[]string{"Andersson", "Berg", "Dahl", "Ek", "Holm", "Lindqvist", "Nyström", "Sjöberg", "Strand", "Åkesson"}},
		{"FR", []string{"Amélie", "Benoît", "Chloé", "Étienne", "François", "Hélène", "Inès", "Mathieu", "Noémie", "Théo"},
			[]string{"Bernard", "Dubois", "Faure", "Garnier", "Lefèvre", "Moreau", "Petit", "Rousseau", "Simon", "Vidal"}},
		{"PL", []string{"Agnieszka", "Bartosz", "Celina", "Dawid", "Ewa", "Grzegorz", "Iwona", "Łukasz", "Małgorzata", "Paweł"},
			[]string{"Dąbrowski", "Jankowska", "Kamiński", "Kowalski", "Lis", "Mazur", "Nowak", "Pawlak", "Wójcik", "Zając"}},
		{"PT", []string{"Ana", "Bruno", "Catarina", "Duarte", "Inês", "João", "Luís", "Marta", "Rui", "Sofia"},
			[]string{"Almeida", "Carvalho", "Costa", "Ferreira", "Gonçalves", "Lopes", "Pereira", "Santos", "Silva", "Sousa"}},
		{"GB", []string{"Alice", "Callum", "Daisy", "Ewan", "Freya", "George", "Imogen", "Owen", "Rhys", "Zara"},
			[]string{"Ahmed", "Baker", "Campbell", "Evans", "Hughes", "Khan", "Patel", "Shaw", "Turner", "Wright"}},
		{"JP", []string{"由美", "健太", "さくら", "大輔", "陽子", "拓也", "美咲", "翔", "真由美", "一郎"}, []string{"佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "山本", "中村", "小林", "加藤"}},
		{"AE", []string{"أحمد", "فاطمة", "خالد", "ليلى", "محمد", "نور", "سارة", "يوسف", "هدى", "عمر"}, []string{"الحداد", "النجار", "الخطيب", "المصري",
			"العلي", "حسن", "سليم", "منصور", "قاسم", "زيدان"}},
		{"TR", []string{"Ayşe", "Burak", "Çiğdem", "Emre", "Gül", "İbrahim", "Mehmet", "Özlem", "Şule", "Zeynep"},
			[]string{"Acar", "Çelik", "Demir", "Kaya", "Öztürk", "Polat", "Şahin", "Tekin", "Yıldız", "Yılmaz"}},
	}
}

// companyWords make a company's name: a first part, a trade, an ending by land.
func companyWords() (first, trade []string) {
	return []string{"Alder", "Amber", "Aurora", "Birch", "Boreal", "Castell", "Cobalt", "Corvid", "Dune", "Ember", "Estuary", "Fjord", "Garnet", "Glade",
			"Harbour", "Hazel", "Heron", "Iris", "Juniper",
			"Kestrel", "Lantern", "Linden", "Lumen", "Maple", "Meridian", "Mistral", "Nordlicht", "Oakmoor", "Onda", "Orchid", "Pelikan", "Quarry", "Rowan",
			"Saffron", "Sierra", "Solstice", "Tamarind", "Tern", "Umbra", "Vela", "Willow", "Zephyr"},
		[]string{"Analytics", "Architects", "Bakery", "Brewing", "Clinics", "Coatings", "Dental", "Energy", "Engineering", "Foods", "Freight", "Furniture",
			"Gardens", "Hotels", "Instruments", "Kitchens", "Labs", "Legal",
			"Logistics", "Machines", "Marine", "Media", "Optics", "Packaging", "Pharma", "Press", "Schools", "Seeds", "Software", "Solar", "Systems",
			"Textiles", "Tools", "Travel", "Watches"}
}

func ending(country string) string {
	switch country {
	case "DE":
		return " GmbH"
	case "SE":
		return " AB"
	case "FR":
		return " SARL"
	case "PL":
		return " Sp. z o.o."
	case "PT":
		return " Lda"
	case "JP":
		return " KK"
	case "TR":
		return " A.Ş."
	}
	return " Ltd"
}

// city is where a generated customer's people sign in from.
type city struct {
	name, state, country string
	lat, lon             float64
}

func cities() []city {
	return []city{
		{"Dublin", "Dublin", "IE", 53.349, -6.260}, {"Cork", "Cork", "IE", 51.897, -8.470}, {"Berlin", "Berlin", "DE", 52.520, 13.405},
		{"Hamburg", "Hamburg", "DE", 53.551, 9.994},
		{"Stockholm", "Stockholms Lan", "SE", 59.329, 18.069}, {"Malmo", "Skane Lan", "SE", 55.605, 13.004}, {"Lyon", "Auvergne-Rhone-Alpes", "FR", 45.764,
			4.836}, {"Nantes", "Pays de la Loire", "FR", 47.218, -1.554},
		{"Warsaw", "Mazowieckie", "PL", 52.230, 21.012}, {"Gdansk", "Pomorskie", "PL", 54.352, 18.647}, {"Lisbon", "Lisboa", "PT", 38.722, -9.139},
		{"Porto", "Porto", "PT", 41.158, -8.629},
		{"Leeds", "England", "GB", 53.801, -1.549}, {"Cardiff", "Wales", "GB", 51.481, -3.179}, {"Osaka", "Osaka", "JP", 34.694, 135.502},
		{"Nagoya", "Aichi", "JP", 35.181, 136.906},
		{"Dubai", "Dubai", "AE", 25.205, 55.271}, {"Abu Dhabi", "Abu Zaby", "AE", 24.454, 54.377}, {"Izmir", "Izmir", "TR", 38.424, 27.143},
		{"Ankara", "Ankara", "TR", 39.934, 32.860},
		{"Curitiba", "Parana", "BR", -25.428, -49.273}, // where attacks come from here
	}
}
