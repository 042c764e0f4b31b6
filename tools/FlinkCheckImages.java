import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.File;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;

/** Makes images for tools/flink-check.sh: FlinkCheckImages.java FOLDER COUNT PHOTOGRAPH... */
final class FlinkCheckImages {
    private FlinkCheckImages() {}

    /** Parts of the photographs, some mirrored; one file is no image. */
    public static void main(String[] args) throws Exception {
        Random random = new Random(1);
        int count = Integer.parseInt(args[1]);
        BufferedImage[] photographs = new BufferedImage[args.length - 2];
        for (int i = 0; i < photographs.length; i++) {
            photographs[i] = ImageIO.read(new File(args[i + 2]));
        }
        for (int i = 0; i < count; i++) {
            BufferedImage photograph = photographs[i % photographs.length];
            int width = photograph.getWidth() * (50 + random.nextInt(50)) / 100;
            int height = photograph.getHeight() * (50 + random.nextInt(50)) / 100;
            int left = random.nextInt(photograph.getWidth() - width + 1);
            int top = random.nextInt(photograph.getHeight() - height + 1);
            BufferedImage part = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = part.createGraphics();
            boolean mirrored = random.nextBoolean();
            graphics.drawImage(photograph, mirrored ? width : 0, 0, mirrored ? 0 : width, height, left, top,
                    left + width, top + height, null);
            graphics.dispose();
            File folder = new File(args[0], "part" + i % 3);
            folder.mkdirs();
            ImageIO.write(part, "jpg", new File(folder, "image%04d.jpg".formatted(i)));
        }
        byte[] noise = new byte[1000];
        Arrays.fill(noise, (byte) 'x');
        java.nio.file.Files.write(new File(args[0], "broken.jpg").toPath(), noise);
    }
}
