"""The words by which headers name what a column holds, in the languages that suppliers write them.

Data only: how a header is cut into words and compared is the business of `header_words`. Words are written
        in lower
case; accents and forms of one letter do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping

LISTS: Mapping[str, str] = {
    "person_name": """firstname lastname surname fullname forename middlename givenname familyname
        given surnames nombres
        apellido apellidos prenom prenoms sobrenome soyadi magaca magac imya familiya pib fio otchestvo
        patronymic nickname alias sobrenombre اللقب الكنية الشهرة العائلة تخلص фио піб ім'я імя имя
        contactperson filiacao filiation apelido cognome nominativo nachname vorname familienname
        geburtsname voornaam achternaam imie imiona nazwisko soyad soyisim adsoyad otasi sharif насаб тегі
        есімі prezime презиме mbiemri გვარი ազգանուն थर उपनाम householdmembers familymembers фамилия
        отчество прізвище hoten fish headteacher incharge ناوي prenume
        numele prenumele
        հայրանուն គោត្តនាម នាមត្រកូល នាម นามสกุล""",
    "name": """name names nombre nom noms nome adi jina dzina naam ism nam اسم نام ስም نوم ناو নাম
        नाम नाव nama suna
        isim ime emri naziv име аты სახელი անուն ስሙ sunan ناوي nume အမည် ten
        ឈ្មោះ ชื่อ ຊື່""",
    "contact": "focalpoint focalperson contactperson contactname prevenir emergency emergencia urgence",
    "person": """enumerator interviewer enqueteur encuestador entrevistador officer oficial agent funcionario
        respondent reporter submitter surveyor collector supervisor praticien medecin doctor teacher docente
        padre madre pere mere father mother grandfather conyuge husband wife guardian tutor caregiver
        beneficiary beneficiario beneficiaria beneficiaire patient client applicant caseworker focal leader
        mae pai filho hooyada aabaha baba anne والد والده شوهر پلار نیکه পিতা পিতার মাতা মাতার স্বামী
        পিতা/স্বামী पिता बाबु आमा पति ayah ibu mama uba prenume headmaster
        ولد ولدیت ولديت
        kin chef jefe jefa chefe householdhead headhousehold hoh hohh
        hof
        pax nok""",
    "phone": """phone telephone telefono telefonos tel telf mobile cell cellphone celular movil gsm
        whatsapp msisdn
        phonenumber devicephonenum portable simu هاتف جوال موبايل موبایل تلفن تليفون تلفون ስልክ contactno
        contactnumber contactnum mobileno telno mob telemovel fone cellulare recapito handy telefonnummer
        rufnummer telepon nohp ponsel taleefan taleefanka telefoon telefoonka cep telefonu ceptelefonu waya
        hotline helpline موبائل فون تماس همراه محمول خليوي تواصل ټیلیفون মোবাইল ফোন টেলিফোন मोबाइल फोन
        टेलिफोन ስልኪ тел моб ဖုန်း dienthoai sodienthoai مۆبایل مۆبایلي
        telefoonnummer telefoonnr mobiel komorkowy ტელეფონი ტელეფონის მობილური सम्पर्क հեռախոս հեռախոսահամար
        telefonszam mobil τηλεφωνο κινητο தொலைபேசி දුරකථන โทรศัพท์ bilbila telefone telefoni
        اړیکې ទូរស័ព្ទ លេខទូរស័ព្ទ ໂທລະສັບ
        โทร""",
    "email": "email mail correo courriel e-mail imeyl بريد ایمیل электронная пошта",
    "national_id": """dui cui dpi dni nni nin nif nit curp cnic cedula tazkira tazkera passport
        pasaporte passeport fayda
        jmbg ninu nid nationalid idnumber ssn socsec identidad document documento nationalcode cuil cuit
        pesel tckn هوية سجل وطني قومي بطاقة کدملی جواز شناسنامه تذکره ملی inn ipn rnokpp kimlik tckimlik
        kimligi jshshir pinfl снилс инн рнокпп іпн пинфл пин cni cin nina npi codicefiscale ausweis
        personalausweis ktp nik kitambulisho nida aqoonsi aqoonsiga شناختي পরিচয়পত্র এনআইডি नागरिकता मतदाता
        मतदाताको आधार መታወቂያ ፋይዳ cccd cmnd idnp პირადი
        nie cpf ykn traveldoc traveldocument personalnumber personnummer personalno تذکرې পাসপোর্ট पासपोर्ट
        paszportu paszport dowod dowodu paspoort paspoortnummer bsn vnummer राहदानी pasport pasporti
        პასპორტი utlevel utlevelszam διαβατηριο ταυτοτητα αφμ anvisa անձնագիր paspor idno idcard eenyummaa
        hochieu porcard
        identite identita հծհ consulaire consular អត្តសញ្ញាណប័ណ្ណ លិខិតឆ្លងដែន
        nic ppt bi หนังสือเดินทาง บัตรประชาชน""",
    "birth_date": """dob birth birthdate birthday nacimiento nac naissance ddn nascimento dogum
        ميلاد ولادة ازدياد تولد
        ልደት ትውልድ brthdt brthdtc bdate fnac fnacimiento nasc nascita geburt geburtsdatum geboren geboorte
        geboortedatum urodzenia lahir kuzaliwa haihuwa tugilgan dhalashada dhalasho پیدائش زیږیدو زېږېدو
        زیږېدو زوکړې لەدایکبوون জন্ম জন্মতারিখ जन्म जन्ममिति таваллуд туган туылған rodjenja rodenja lindjes
        datelindja ዝተወልደሉ დაბადების ngaysinh nasterii
        narozeni szuletes szuletesi γεννησης ծննդյան туған பிறந்த dhaloota amavuko nesans tevellud
        កំណើត ថ្ងៃខែឆ្នាំកំណើត เกิด วันเกิด""",
    "address": """address addresses direccion domicilio adresse endereco adres residencia calle street rue
        colonia kebele
        عنوان آدرس አድራሻ morada alamat anwani indirizzo anschrift strasse ciwaanka cinwaanka adresi پته ادرس
        ঠিকানা
        ठेगाना पता
        მისამართი მისამართის manzil manzili zamieszkania ulica straat lakcim utca adresa ulice διευθυνση
        οδος unvan kuce հասցե мекенжай суроға முகவரி aderesi teessoo
        អាសយដ្ឋាន ที่อยู่""",
    "gps": """gps utm easting northing mgrs latitude longitude lat lon lng long altitude geopoint geolocation
        coordinates coordenadas coordonnees geom geometry latitud longitud إحداثيات""",
    "device_id": """deviceid imei subscriberid simserial simid serialnumber macaddress
        ipaddress ip""",
    "place": """location settlement parroquia corregimiento vereda upazila admin admin1 admin2
        admin3 admin4 adm1
        adm2 adm3 adm4 region province provincia departamento departement department municipio municipality
        commune comuna woreda zone zona kebele district distrito governorate gouvernorat county canton
        village aldea caserio barrio ward camp site locality localidad town city ciudad ville quartier
        oblast rayon raion uezd prefecture subcounty parish suburb محافظة مديرية إقليم قضاء ناحية منطقة
        مدينة قرية مخيم ولايت ولايه ولسوالی استان شهرستان بخش روستا місто село город ክልል ዞን ወረዳ محلولادة
        مكان lieu place pcode localite cercle provincias ضلع تحصیل صوبه گاؤں شهر ولسوالۍ ولسوالي کلي জেলা
        উপজেলা বিভাগ ইউনিয়ন গ্রাম থানা जिल्ला जिला प्रदेश गाउँपालिका नगरपालिका वडा गाँव gobol gobolka degmo
        degmada magaalada tuulada xaafadda ilce mahalle koy bolge freguesia concelho naturalidade localidade
        bairro aldeia tabanca regione comune bundesland landkreis kreis gemeinde gemeente woonplaats
        provincie wojewodztwo powiat gmina miejscowosc provinsi kabupaten kecamatan kelurahan desa mkoa
        kijiji jiha unguwa پارێزگا قەزا viloyat tuman mahalla barangay sitio purok township hamlet chiefdom
        subdistrict neighbourhood neighborhood sublocation payam boma arrondissement fokontany colline
        territoire wilaya daira moughataa lga aimag аймак округ муниципалитет общин ከተማ ቀበሌ መንደር ዞባ mun muni
        prov dpto depto nommun noment tehsil რეგიონი მუნიციპალიტეტი localitate tinh huyen hukuma
        luogo geburtsort wohnort baladiya baladiyah muhalla muhafaza mantiqa mantika nahia nahiya qadha ili
        место місце ilcesi mahallesi
        miejsce plaats სოფელი ქალაქი محلية shahar qishloq megye telepules varos δημος πολη νομος seher մարզ
        գյուղ քաղաք облыс аудан ауыл ноҳия вилоят шаҳр деҳа naannoo godina aanaa akarere umurenge intara
        akagari depatman komin
        lugar tempat raionul localitatea
        airport aeroport aeropuerto aeroporto borderpoint bordercrossing entrypoint منفذ معبر مطار مرز مرزي кпп
        الحي حي opstina mesto համայնք ខេត្ត ស្រុក ឃុំ ភូមិ ក្រុង សង្កាត់ จังหวัด อำเภอ ตำบล หมู่บ้าน
        fronteira frontera frontiere kapisi ด่าน fmp satul comuna komuna fshati ጣብያ tabia اردوگاه""",
    "country": """country countries pais paises pays iso iso3 iso2 nacion adm0 admin0 ulke land بلد دولة
        کشور ሀገር origin
        destination paese nazione negara nchi davlat mamlakat waddanka dalka herkunftsland هیواد هېواد وڵات
        ملک দেশ
        देश
        kasar kasa
        kraj kraju panstwo ქვეყანა ქვეყნის davlati मुलुक olke olkesi orszag χωρα երկիր мемлекет кишвар biyya
        igihugu peyi
        quocgia
        zemlja ប្រទេស ประเทศ
        tara shteti""",
    "nationality": """nationality nacionalidad nationalite citizenship nacionalidade جنسية تابعیت uyruk
        uyrugu vatandaslik
        cittadinanza staatsangehorigkeit kewarganegaraan uraia شهریت قومیت জাতীয়তা राष्ट्रियता ዜግነት
        obywatelstwo narodowosc nationaliteit მოქალაქეობა fuqaroligi millati vetendasliq allampolgarsag
        obcanstvi υπηκοοτητα ιθαγενεια քաղաքացիություն азаматтығы
        staatsburgerschaft
        សញ្ជាតិ สัญชาติ
        ملیت""",
    "weight": """weight weights weighting wgt wt peso pesos poids ponderacion ponderation pond pesofinal
        factor wght coeff
        coef fexp facexp expansion wgts
        fex pw hhwgt perwt pondera
        wta""",
    "free_text": """notes note obs observacion observaciones observations observation comments
        comentarios commentaire
        commentaires remarks remark specify especifique preciser autre other otro otra description
        descripcion why explain details narrative ملاحظات توضيح يرجى توضیحات نکات aciklama notlar
        observacoes observacao comentario osservazioni bemerkung bemerkungen anmerkung kommentar keterangan
        catatan maelezo maoni faallo تبصره কৈফিয়ত মন্তব্য कैफियत टिप्पणी یادونه ምርመራ አስተያየት ማስታወሻ
        observatii""",
    "body": "kg kilo kilos kilograms body waste baby food",
    "body_beside": "height bmi talla taille estatura altura imc muac",
    "thing": """file form sheet list school hospital facility market company organisation organization
        event currency
        indicator item product commodity crop project programme program variable table question dataset partner
        donor agency ngo ong cluster activity vessel species taxon disease drug medicine vaccine brand
        model unit
        series station language course shop category institution ministry escuela ecole hopital empresa
        institucion
        entreprise proyecto projet producto produit moneda devise indicador indicateur organismo entidad
        ministerio
        مشروع مدرسة مستشفى منظمة office clinic centre center warehouse bank embassy association asociacion
        appeal
        hazard disaster website""",
    "attribute": """sex sexo sexe gender genero genre age edad idade ages relationship parentesco civil
        marital occupation
        ocupacion profession جنس عمر مهنه سن جنسیت стать вік ፆታ ጾታ ዕድሜ বয়স লিঙ্গ उमेर लिङ्ग आयु jinsiga jinsi
        cinsiyet yas sesso eta geschlecht umur usia kelamin umri jinsia shekaru""",
    "census": "population poblacion area superficie capital iso lat lng سكان",
    "yes_no": "has have tiene possede own consent own",
    "heading": """id code codes codigo cod key nro numero nombre number type tipo status estado etat statut
        sex sexo sexe
        gender genero genre age edad idade date fecha data datum year ano annee anio month mes mois day jour dia
        value valor valeur total count cantidad label etiqueta libelle category categoria categorie description
        title titulo titre level nivel niveau population poblacion group grupo groupe class clase classe
        variable
        question pregunta answer response respuesta reponse index rank round wave household hogar menage
        individual
        individuals families persons personas personnes sector relationship parentesco education occupation
        ocupacion profession income ingreso revenu motivo reason raison cause observaciones modified
        created updated
        source fuente score percent رقم رمز كود نوع جنس عمر تاريخ حاله عدد فئه مهنه ردیف کد جنسیت سن تاریخ وضعیت
        تعداد شماره شغل номер код тип стать вік дата статус рік пол возраст год кількість ቁጥር ኮድ ዓይነት ፆታ ጾታ
        ዕድሜ ቀን
        lambar jinsi jinsiga sira cinsiyet yas tarih durum তারিখ ক্রমিক संख्या मिति tarikh taariikhda tirsi نېټه
        شمېره ګڼه نمبر tanggal tarehe nomor geschlecht anzahl""",
    "aspect": """level type typ tipo typology typologie niveau nivel prefix count total percent percentage
        share rate status
        class category size
        years
        gioitinh""",
    "reached": "contact contacts contacto contactos contato contatos kontakt contatto",
    "community": "community communaute comunidad comunidade comunita",
    "where_to": "destination origin origen origine origem destino destinazione",
    "whose": """return retorno retour origin origen origine origem residence residencia current actual actuelle
        arrival habitual previous former intended displacement""",
    "place_beside": """state states estado estados division il ort stato entidad uf county territory oblys
        viloyati""",
}
STEMS: Mapping[str, str] = {
    "person_name": "прізвищ фамили батьков побатьков отчеств",
    "phone": "телефон мобильн мобільн telef teleph",
    "national_id": "паспорт ідент идентиф անձնագ",
    "birth_date": "народжен рожден زیږ زېږ",
    "address": "адрес вулиц улиц проживан жительств прописк",
    "place": "област район громад населенн населений муниципал селищ",
    "country": "країн стран",
    "nationality": "громадянств гражданств",
    "free_text": "приміт примеч комент",
}
"""Beginnings of words in languages that decline them: `Номер_телефону` speaks of a `телефон`."""
