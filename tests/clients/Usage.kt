// What a Kotlin client writes to enroll, verify and read the answer; compiled with the generated models.
import com.fasterxml.jackson.annotation.JsonInclude
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import java.io.File
import org.openapitools.client.models.AnyRecording
import org.openapitools.client.models.CalibratedPolicyBody
import org.openapitools.client.models.Decision
import org.openapitools.client.models.EcgRecording
import org.openapitools.client.models.EcgUnit
import org.openapitools.client.models.EnrollBody
import org.openapitools.client.models.FaceRecording
import org.openapitools.client.models.Finger
import org.openapitools.client.models.FingerprintRecording
import org.openapitools.client.models.GalleryBody
import org.openapitools.client.models.Lead
import org.openapitools.client.models.SampleType
import org.openapitools.client.models.VerifyAnswer

fun strip(signal: String): AnyRecording = EcgRecording(
    modality = EcgRecording.Modality.ecg,
    fsHz = 100.0,
    unit = EcgUnit.MICROVOLT,
    lead = Lead.I,
    signalB64 = signal,
    dtype = SampleType.int16,
)

fun withGap(): AnyRecording = EcgRecording(
    modality = EcgRecording.Modality.ecg,
    fsHz = 100.0,
    unit = EcgUnit.MILLIVOLT,
    signal = List(400) { it.toDouble() } + null,
)

fun face(image: String): AnyRecording =
    FaceRecording(modality = FaceRecording.Modality.face, imageB64 = image)

fun finger(image: String): AnyRecording = FingerprintRecording(
    modality = FingerprintRecording.Modality.fingerprint,
    imageB64 = image,
    finger = Finger.RIGHT_INDEX,
)

fun body(signal: String, image: String): EnrollBody =
    EnrollBody(subjectId = "operator-17", recordings = listOf(strip(signal), face(image), finger(image)))

fun gallery(): GalleryBody =
    GalleryBody(name = "plant-3", policy = CalibratedPolicyBody(kind = CalibratedPolicyBody.Kind.calibrated))

fun isMatch(answer: VerifyAnswer): Boolean = answer.decision == Decision.match && answer.subjectId != null

fun main(arguments: Array<String>) {
    val json = ObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.NON_ABSENT)
    val enrolled: JsonNode = json.readTree(File(arguments[0])).get(0)
    val recordings = listOf(strip(enrolled.get("signal_b64").asText()), withGap())
    println(json.writeValueAsString(EnrollBody(subjectId = "kotlin", recordings = recordings)))
}
